// TCP loads. Each returns what it has counted between warm-up and end; main.cpp turns that into the line that is printed.
#pragma once
#include <algorithm>

#include "cpu.hpp"
#include "net.hpp"
#include "origin.hpp"

struct Load {
  std::string ip;
  int port = 0, count = 64, size = 64, rate = 0, flows = 64;
  double warm = 2, time = 3;
  // Connections go to this many ports, in turn, beginning with `port`.
  int ports = 1;
};

struct Measured {
  Cpu cpu;
  double units = 0, bytes = 0, failed = 0, lost = 0;
  std::vector<float> micros;
};

// Runs turn() until the time is over; what `units` and `bytes` have grown by after the warm-up is the result.
template <class Turn>
void measure(const Load& load, const CpuMeter& meter, Measured& m, Turn turn) {
  double begin = seconds() + load.warm, end = begin + load.time;
  bool warm = true;
  Cpu before;
  for (double now = seconds(); now < end; now = seconds()) {
    if (warm && now >= begin) {
      warm = false;
      m.units = m.bytes = m.failed = m.lost = 0;
      m.micros.clear();
      before = meter.read();
    }
    turn(now);
  }
  m.cpu = meter.read() - before;
}

// Connect, `size` bytes there and back, close; `count` of these at a time.
inline Measured connects(const Load& load, const CpuMeter& meter) {
  struct One { double began; int got; bool sent; };
  Measured m;
  Poller poller;
  std::vector<One> ones(1 << 20);
  std::vector<char> message(load.size, 'x'), buffer(65536);
  sockaddr_in to = address(load.ip, load.port);
  int next = 0;
  auto start = [&] {
    to.sin_port = htons(load.port + next++ % load.ports);
    int fd = tcpConnect(to);
    ones[fd] = {seconds(), 0, false};
    poller.add(fd, EPOLLIN | EPOLLOUT | EPOLLET, fd);
  };
  auto again = [&](int fd, bool failed) {
    if (failed) m.failed++;
    close(fd);
    start();
  };
  for (int i = 0; i < load.count; i++) start();
  measure(load, meter, m, [&](double) {
    poller.wait(0.1, [&](int fd, uint32_t events) {
      One& one = ones[fd];
      if ((events & (EPOLLERR | EPOLLHUP)) && !(events & EPOLLIN)) return again(fd, true);
      if (!one.sent && (events & EPOLLOUT)) {
        one.sent = true;
        if (send(fd, message.data(), load.size, MSG_NOSIGNAL) != load.size) return again(fd, true);
      }
      if (!(events & EPOLLIN)) return;
      ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        if (got == 0 || errno != EAGAIN) again(fd, true);
        return;
      }
      if ((one.got += got) < load.size) return;
      m.units++;
      m.micros.push_back((seconds() - one.began) * 1e6);
      again(fd, false);
    });
  });
  return m;
}

// `size` bytes there and back on each of `count` connections; with a rate, so many a second in all, evenly.
inline Measured roundTrips(const Load& load, const CpuMeter& meter) {
  Measured m;
  Poller poller;
  std::vector<double> began(1 << 20);
  std::vector<int> got(1 << 20);
  std::vector<char> message(load.size, 'x'), buffer(1 << 20);
  std::vector<int> fds = tcpConnections(address(load.ip, load.port), load.count), idle;
  auto ask = [&](int fd, double now) {
    began[fd] = now;
    got[fd] = 0;
    if (send(fd, message.data(), load.size, MSG_NOSIGNAL) != load.size) must(-1, "send");
  };
  for (int fd : fds) {
    poller.add(fd, EPOLLIN, fd);
    if (load.rate) idle.push_back(fd);
    else ask(fd, seconds());
  }
  double next = seconds();
  measure(load, meter, m, [&](double now) {
    for (; load.rate && next <= now; next += 1.0 / load.rate) {
      // Nobody free: the question is late, and its time counts from when it was due.
      if (idle.empty()) break;
      ask(idle.back(), next);
      idle.pop_back();
    }
    double patience = load.rate ? std::max(0.0, next - now) : 0.1;
    poller.wait(patience, [&](int fd, uint32_t) {
      ssize_t bytes = recv(fd, buffer.data(), buffer.size(), 0);
      if (bytes <= 0) must(-1, "a connection was lost");
      if ((got[fd] += bytes) < load.size) return;
      double now = seconds();
      m.units++;
      m.micros.push_back((now - began[fd]) * 1e6);
      if (load.rate) idle.push_back(fd);
      else ask(fd, now);
    });
  });
  return m;
}

// As many bytes as will pass on `count` connections: from the origin's source, or to its sink.
inline Measured bulk(const Load& load, const CpuMeter& meter, bool down) {
  Measured m;
  Poller poller;
  std::vector<char> buffer(1 << 16);
  int file = bytesInMemory(FILE_BYTES);
  for (int fd : tcpConnections(address(load.ip, load.port), load.count)) {
    poller.add(fd, down ? EPOLLIN : EPOLLOUT, fd);
  }
  measure(load, meter, m, [&](double) {
    poller.wait(0.1, [&](int fd, uint32_t) {
      off_t from = 0;
      ssize_t moved = down ? recv(fd, buffer.data(), FILE_BYTES, MSG_TRUNC | MSG_DONTWAIT) : 0;
      if (!down) {
        // A blocking socket would hold up the others.
        static std::vector<bool> ready(1 << 20);
        if (!ready[fd]) fcntl(fd, F_SETFL, O_NONBLOCK);
        ready[fd] = true;
        moved = sendfile(fd, file, &from, 1 << 20);
      }
      if (moved == 0 || (moved < 0 && errno != EAGAIN)) must(-1, "a stream was lost");
      if (moved > 0) m.bytes += moved;
    });
  });
  return m;
}

// Bytes of the proxy's memory per connection that has said something once and then nothing.
inline double idleMemory(const Load& load, const CpuMeter& meter) {
  char message[64] = {}, answer[64];
  auto talk = [&](int count) {
    std::vector<int> fds = tcpConnections(address(load.ip, load.port), count);
    for (int fd : fds) {
      must(send(fd, message, sizeof message, 0), "send");
      if (recv(fd, answer, sizeof answer, MSG_WAITALL) != sizeof answer) must(-1, "a connection was lost");
    }
    return fds;
  };
  // What the first connections cost once, compiled code above all, is not what each costs.
  for (int i = 0; i < 60; i++)
    for (int fd : talk(load.count / 100)) close(fd);
  // A compiler that works beside us needs a moment more.
  usleep(1000000);
  double before = meter.proxyMemory();
  talk(load.count);
  usleep(load.time * 1e6);
  return (meter.proxyMemory() - before) / load.count;
}
