// What stands behind the proxy: TCP echo, a source and a sink of bytes, UDP echo, a source of bursts. As cheap as it can be made, since its
// cost is part of every figure.
#pragma once
#include <thread>

#include "net.hpp"

enum OriginPort { ECHO = 9000, SOURCE = 9001, SINK = 9002, UDP_ECHO = 9100, UDP_SOURCE = 9101 };

constexpr size_t FILE_BYTES = 4 << 20;

inline bool sendAll(int fd, const char* bytes, size_t size) {
  for (size_t sent = 0; sent < size;) {
    ssize_t now = send(fd, bytes + sent, size - sent, MSG_NOSIGNAL);
    if (now > 0) sent += now;
    else if (errno != EAGAIN) return false;
  }
  return true;
}

inline void tcpOrigin(const std::string& ip) {
  Poller poller;
  std::vector<int> kind(1 << 20), listening(1 << 20);
  std::vector<char> buffer(1 << 20);
  int file = bytesInMemory(FILE_BYTES);
  for (int port : {ECHO, SOURCE, SINK}) {
    int fd = tcpListen(ip, port);
    listening[fd] = 1;
    kind[fd] = port;
    poller.add(fd, EPOLLIN, fd);
  }
  auto serve = [&](int fd) {
    if (kind[fd] == ECHO) {
      ssize_t got = recv(fd, buffer.data(), 65536, 0);
      return got > 0 ? sendAll(fd, buffer.data(), got) : got < 0 && errno == EAGAIN;
    }
    if (kind[fd] == SOURCE) {
      off_t from = 0;
      return sendfile(fd, file, &from, 1 << 20) >= 0 || errno == EAGAIN;
    }
    // MSG_TRUNC: thrown away in the kernel, never copied.
    ssize_t got = recv(fd, buffer.data(), FILE_BYTES, MSG_TRUNC);
    return got > 0 || (got < 0 && errno == EAGAIN);
  };
  for (;;) {
    poller.wait(3600, [&](int fd, uint32_t) {
      if (!listening[fd]) {
        if (!serve(fd)) close(fd);
        return;
      }
      for (int i = 0; i < 256; i++) {
        int client = accept4(fd, nullptr, nullptr, SOCK_NONBLOCK);
        if (client < 0) break;
        kind[client] = kind[fd];
        poller.add(client, kind[fd] == SOURCE ? EPOLLOUT : EPOLLIN, client);
      }
    });
  }
}

inline void udpOrigin(const std::string& ip) {
  constexpr int BATCH = 64;
  static char bytes[BATCH][2048];
  static mmsghdr messages[BATCH];
  static iovec vectors[BATCH];
  static sockaddr_in from[BATCH];
  static char control[BATCH][CMSG_SPACE(sizeof(in_pktinfo))];
  int fd = udpSocket(true);
  // At all addresses, an answer comes from the one that was asked.
  bool many = ip == "0.0.0.0";
  option(fd, IPPROTO_IP, IP_PKTINFO, many);
  sockaddr_in name = address(ip, UDP_ECHO);
  must(bind(fd, (sockaddr*)&name, sizeof name), "bind");
  for (;;) {
    for (int i = 0; i < BATCH; i++) {
      vectors[i] = {bytes[i], sizeof bytes[i]};
      messages[i].msg_hdr = {&from[i], sizeof from[i], &vectors[i], 1, many ? control[i] : nullptr, many ? sizeof control[i] : 0, 0};
    }
    int count = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, nullptr);
    for (int i = 0; i < count; i++) {
      vectors[i].iov_len = messages[i].msg_len;
      cmsghdr* asked = CMSG_FIRSTHDR(&messages[i].msg_hdr);
      if (asked) ((in_pktinfo*)CMSG_DATA(asked))->ipi_ifindex = 0;
    }
    for (int done = 0; done < count;) {
      int sent = sendmmsg(fd, messages + done, count - done, 0);
      done += sent > 0 ? sent : 1;
    }
  }
}

// Answers each datagram by BURST of them, written as one: what a server of QUIC does.
constexpr int BURST_SEGMENT = 1200, BURST = 50;
inline void udpSource(const std::string& ip) {
  static char bytes[BURST * BURST_SEGMENT], question[2048];
  int fd = udpSocket(true);
  sockaddr_in name = address(ip, UDP_SOURCE), from{};
  must(bind(fd, (sockaddr*)&name, sizeof name), "bind");
  option(fd, SOL_UDP, UDP_SEGMENT, BURST_SEGMENT);
  for (;;) {
    socklen_t size = sizeof from;
    if (recvfrom(fd, question, sizeof question, 0, (sockaddr*)&from, &size) >= 0)
      sendto(fd, bytes, sizeof bytes, 0, (sockaddr*)&from, size);
  }
}
