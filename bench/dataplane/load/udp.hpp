// UDP loads. datagrams(): `flows` sockets, each with up to `count` datagrams under way; or, with a rate, so many datagrams a
// second. bursts(): `flows` sockets, each asks for a burst when the one before is there.
#pragma once
#include "tcp.hpp"

inline Measured datagrams(const Load& load, const CpuMeter& meter) {
  constexpr int BATCH = 64;
  static char in[BATCH][2048], out[2048];
  static mmsghdr incoming[BATCH], outgoing[BATCH];
  static iovec vectors[BATCH], same;
  same = {out, size_t(load.size)};
  for (int i = 0; i < BATCH; i++) {
    vectors[i] = {in[i], sizeof in[i]};
    incoming[i].msg_hdr = {nullptr, 0, &vectors[i], 1, nullptr, 0, 0};
    outgoing[i].msg_hdr = {nullptr, 0, &same, 1, nullptr, 0, 0};
  }
  Measured m;
  Poller poller;
  sockaddr_in to = address(load.ip, load.port);
  std::vector<int> fds, under(load.flows);
  std::vector<double> last(load.flows);
  double sent = 0;
  for (int i = 0; i < load.flows; i++) {
    int fd = udpSocket(false);
    must(connect(fd, (sockaddr*)&to, sizeof to), "connect");
    fds.push_back(fd);
    poller.add(fd, EPOLLIN, i);
  }
  auto push = [&](int flow, int count, double now) {
    memcpy(out, &now, sizeof now);
    for (int left = count; left > 0;) {
      int done = sendmmsg(fds[flow], outgoing, std::min(left, BATCH), 0);
      if (done <= 0) break;
      sent += done;
      under[flow] += done;
      left -= done;
    }
    last[flow] = now;
  };
  if (!load.rate)
    for (int i = 0; i < load.flows; i++) push(i, load.count, seconds());
  double next = seconds(), looked = next, sentAtBegin = -1;
  int turn = 0;
  constexpr int BURST = 8;
  measure(load, meter, m, [&](double now) {
    if (m.units == 0 && sentAtBegin < 0) sentAtBegin = sent;
    for (; load.rate && next <= now; next += double(BURST) / load.rate) push(turn++ % load.flows, BURST, now);
    poller.wait(load.rate ? std::max(0.0, next - now) : 0.01, [&](int flow, uint32_t) {
      int got = recvmmsg(fds[flow], incoming, BATCH, MSG_DONTWAIT, nullptr);
      if (got <= 0) return;
      double began, now = seconds();
      memcpy(&began, in[0], sizeof began);
      m.units += got;
      m.micros.push_back((now - began) * 1e6);
      under[flow] = std::max(0, under[flow] - got);
      if (!load.rate) push(flow, load.count - under[flow], now);
    });
    if (load.rate || now - looked < 0.05) return;
    looked = now;
    for (int i = 0; i < load.flows; i++) {
      if (now - last[i] < 0.2) continue;
      m.lost += under[i];
      under[i] = 0;
      push(i, load.count, now);
    }
  });
  // What a rate has sent and nobody has answered; the last ones may still be on their way.
  if (load.rate) m.lost = std::max(0.0, load.rate * m.cpu.at - m.units);
  return m;
}

inline Measured bursts(const Load& load, const CpuMeter& meter) {
  static char in[1 << 16];
  Measured m;
  Poller poller;
  sockaddr_in to = address(load.ip, load.port);
  std::vector<int> fds;
  std::vector<double> got(load.flows), asked(load.flows);
  auto ask = [&](int flow, double now) {
    got[flow] = 0;
    asked[flow] = now;
    send(fds[flow], in, 64, 0);
  };
  for (int i = 0; i < load.flows; i++) {
    int fd = udpSocket(false);
    must(connect(fd, (sockaddr*)&to, sizeof to), "connect");
    option(fd, SOL_UDP, UDP_GRO, 1);
    fds.push_back(fd);
    poller.add(fd, EPOLLIN, i);
  }
  for (int i = 0; i < load.flows; i++) ask(i, seconds());
  double looked = seconds();
  measure(load, meter, m, [&](double now) {
    poller.wait(0.01, [&](int flow, uint32_t) {
      for (ssize_t size; (size = recv(fds[flow], in, sizeof in, MSG_DONTWAIT)) > 0;) {
        m.bytes += size;
        got[flow] += size;
      }
      if (got[flow] < double(BURST) * BURST_SEGMENT) return;
      m.units++;
      ask(flow, now);
    });
    if (now - looked < 0.05) return;
    looked = now;
    for (int i = 0; i < load.flows; i++) {
      if (now - asked[i] < 0.2) continue;
      m.lost++;
      ask(i, now);
    }
  });
  return m;
}
