// Load and origin of the data-plane benchmark, one program. Prints one line of JSON per measurement.
//
//   load origin IP            serves everything of origin.hpp
//   load call                 what a system call costs here: {"nanos": …}
//   load MODE key=value…      connects | rr | down | up | idle | udp | bursts
//     ip= port= count= size= rate= flows= ports= warm= time=   see struct Load
//     proxy=PID,PID origin=PID,PID                      whose processor time is counted
#include <fcntl.h>
#include <sys/syscall.h>

#include <csignal>
#include <map>
#include <sstream>

#include "udp.hpp"

static std::vector<int> numbers(const std::string& list) {
  std::vector<int> out;
  std::stringstream in(list);
  for (std::string one; std::getline(in, one, ',');) out.push_back(std::stoi(one));
  return out;
}

static void print(const std::string& mode, Measured m) {
  auto at = [&](double part) { return m.micros.empty() ? 0 : m.micros[std::min(m.micros.size() - 1, size_t(part * m.micros.size()))]; };
  std::sort(m.micros.begin(), m.micros.end());
  double per = m.units > 0 ? 1e6 / m.units : 0, gigabytes = m.bytes / 1e9;
  printf("{\"mode\":\"%s\",\"seconds\":%.3f,\"units\":%.0f,\"rate\":%.0f", mode.c_str(), m.cpu.at, m.units, m.units / m.cpu.at);
  printf(",\"proxyMicros\":%.3f,\"totalMicros\":%.3f", m.cpu.proxy * per, m.cpu.total() * per);
  if (gigabytes > 0)
    printf(",\"gigabits\":%.3f,\"proxyPerGB\":%.4f,\"totalPerGB\":%.4f", gigabytes * 8 / m.cpu.at, m.cpu.proxy / gigabytes, m.cpu.total() / gigabytes);
  printf(",\"p50\":%.0f,\"p99\":%.0f,\"failed\":%.0f,\"lost\":%.4f}\n", at(0.5), at(0.99), m.failed, m.units > 0 ? m.lost / (m.units + m.lost) : 1);
}

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  rlimit most{};
  getrlimit(RLIMIT_NOFILE, &most);
  most.rlim_cur = most.rlim_max;
  setrlimit(RLIMIT_NOFILE, &most);
  std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "origin" && argc > 2) {
    std::thread datagrams(udpOrigin, std::string(argv[2]));
    std::thread bursts(udpSource, std::string(argv[2]));
    tcpOrigin(argv[2]);
  }
  if (mode == "call") {
    const int times = 1'000'000;
    double before = seconds();
    for (int i = 0; i < times; i++) syscall(SYS_getppid);
    return printf("{\"nanos\":%.0f}\n", (seconds() - before) / times * 1e9), 0;
  }
  std::map<std::string, std::string> given;
  for (int i = 2; i < argc; i++) {
    std::string pair = argv[i];
    given[pair.substr(0, pair.find('='))] = pair.substr(pair.find('=') + 1);
  }
  auto number = [&](const char* key, double or_) { return given.count(key) ? std::stod(given[key]) : or_; };
  Load load{given["ip"], int(number("port", 0)), int(number("count", 64)), int(number("size", 64)), int(number("rate", 0)),
            int(number("flows", 64)), number("warm", 2), number("time", 3), int(number("ports", 1))};
  CpuMeter meter(numbers(given["proxy"]), numbers(given["origin"]));
  if (mode == "connects") print(mode, connects(load, meter));
  else if (mode == "rr") print(mode, roundTrips(load, meter));
  else if (mode == "down" || mode == "up") print(mode, bulk(load, meter, mode == "down"));
  else if (mode == "udp") print(mode, datagrams(load, meter));
  else if (mode == "bursts") print(mode, bursts(load, meter));
  else if (mode == "idle") printf("{\"mode\":\"idle\",\"bytesPerConnection\":%.1f}\n", idleMemory(load, meter));
  else return fprintf(stderr, "load: no mode %s\n", mode.c_str()), 2;
}
