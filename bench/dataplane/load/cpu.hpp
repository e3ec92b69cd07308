// Who used how much processor time between two moments: the proxy's processes, the origin's, this process, and the
// kernel's own threads. Read from /proc at both ends of a measurement; nothing runs in between.
#pragma once
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Cpu {
  double at = 0, proxy = 0, origin = 0, self = 0, kernel = 0;
  double total() const { return proxy + origin + self + kernel; }
  Cpu operator-(const Cpu& before) const {
    return {at - before.at, proxy - before.proxy, origin - before.origin, self - before.self, kernel - before.kernel};
  }
};

class CpuMeter {
 public:
  CpuMeter(std::vector<int> proxy, std::vector<int> origin) : proxy_(std::move(proxy)), origin_(std::move(origin)) {
    // kworkers, ksoftirqd and napi threads do work that a relay causes; they exist before a measurement begins.
    for (int pid = 2; pid < 40000; pid++) {
      std::string name = line("/proc/" + std::to_string(pid) + "/comm");
      if (name.starts_with("kworker") || name.starts_with("ksoftirqd") || name.starts_with("napi")) kernel_.push_back(pid);
    }
  }

  Cpu read() const {
    timespec own{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    return {seconds(), sum(proxy_), sum(origin_), own.tv_sec + own.tv_nsec / 1e9, sum(kernel_)};
  }

  // Proportional set size of the proxy's processes, bytes; without files, because the share of a program's text grows
  // when another process that runs the same program ends.
  double proxyMemory() const {
    double bytes = 0;
    for (int pid : proxy_) {
      FILE* file = fopen(("/proc/" + std::to_string(pid) + "/smaps_rollup").c_str(), "r");
      char text[256];
      long kib = 0;
      while (file && fgets(text, sizeof text, file))
        if (sscanf(text, "Pss_Anon: %ld kB", &kib) == 1 || sscanf(text, "Pss_Shmem: %ld kB", &kib) == 1) bytes += kib * 1024.0;
      if (file) fclose(file);
    }
    return bytes;
  }

 private:
  static std::string line(const std::string& path) {
    char text[512] = "";
    FILE* file = fopen(path.c_str(), "r");
    if (!file) return "";
    char* got = fgets(text, sizeof text, file);
    fclose(file);
    return got ? text : "";
  }

  // User and system time of the processes, their threads included; seconds.
  static double sum(const std::vector<int>& pids) {
    static const double hertz = sysconf(_SC_CLK_TCK);
    double ticks = 0;
    for (int pid : pids) {
      std::string stat = line("/proc/" + std::to_string(pid) + "/stat");
      size_t end = stat.rfind(')');
      unsigned long user = 0, system = 0;
      if (end == std::string::npos) continue;
      sscanf(stat.c_str() + end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
      ticks += user + system;
    }
    return ticks / hertz;
  }

  std::vector<int> proxy_, origin_, kernel_;
};
