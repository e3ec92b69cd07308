// Sockets for the load and the origin: small wrappers that end the program with a message, because a benchmark that has
// lost a socket has nothing left to measure.
#pragma once
#include <arpa/inet.h>
#include <cerrno>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctime>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

inline int must(int result, const char* what) {
  if (result >= 0) return result;
  perror(what);
  exit(1);
}

inline sockaddr_in address(const std::string& ip, int port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  inet_pton(AF_INET, ip.c_str(), &name.sin_addr);
  return name;
}

inline void option(int fd, int level, int name, int value) { setsockopt(fd, level, name, &value, sizeof value); }

inline int tcpListen(const std::string& ip, int port) {
  int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
  option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  sockaddr_in name = address(ip, port);
  must(bind(fd, (sockaddr*)&name, sizeof name), "bind");
  must(listen(fd, 65535), "listen");
  return fd;
}

// A connect that is under way (non-blocking).
inline int tcpConnect(const sockaddr_in& to) {
  int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
  option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (connect(fd, (const sockaddr*)&to, sizeof to) < 0 && errno != EINPROGRESS) must(-1, "connect");
  return fd;
}

// So many connections, established; then non-blocking.
inline std::vector<int> tcpConnections(const sockaddr_in& to, int count) {
  std::vector<int> fds;
  for (int i = 0; i < count; i++) {
    int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
    option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    must(connect(fd, (const sockaddr*)&to, sizeof to), "connect");
    fds.push_back(fd);
  }
  return fds;
}

inline int udpSocket(bool wait) {
  int fd = must(socket(AF_INET, SOCK_DGRAM | (wait ? 0 : SOCK_NONBLOCK), 0), "socket");
  option(fd, SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20);
  option(fd, SOL_SOCKET, SO_SNDBUFFORCE, 16 << 20);
  return fd;
}

class Poller {
 public:
  void add(int fd, uint32_t events, uint64_t tag) {
    epoll_event event{events, {.u64 = tag}};
    must(epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }
  // Calls back with the tag and the events of each that is ready. To the nanosecond, because a load that spins until its
  // next question is due takes the origin's processor away.
  template <class Ready>
  void wait(double seconds, Ready ready) {
    timespec time{time_t(seconds), long((seconds - time_t(seconds)) * 1e9)};
    int count = epoll_pwait2(fd_, events_, 512, &time, nullptr);
    for (int i = 0; i < count; i++) ready(events_[i].data.u64, events_[i].events);
  }

 private:
  int fd_ = must(epoll_create1(0), "epoll_create1");
  epoll_event events_[512];
};

// A file of bytes in memory, for sendfile().
inline int bytesInMemory(size_t size) {
  int fd = must(memfd_create("bytes", 0), "memfd_create");
  std::vector<char> bytes(size);
  for (size_t i = 0; i < size; i++) bytes[i] = char(i * 131 + (i >> 8));
  must(pwrite(fd, bytes.data(), size, 0), "pwrite");
  return fd;
}
