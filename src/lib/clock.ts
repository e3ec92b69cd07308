/**
 * Time as an argument. Everything that asks for the time or waits takes a Clock, so that pure code can be driven by a
 * test and nothing but this file touches the system's clock (a house test holds that).
 */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall clock, milliseconds since 1970. */
  now(): number;
  /** Monotonic milliseconds; only differences mean anything. */
  monotonic(): number;
  /** Calls back once after `ms`. The timer does not keep the process alive. */
  after(ms: number, run: () => void): Timer;
  /** Calls back every `ms` until cancelled. The timer does not keep the process alive. */
  every(ms: number, run: () => void): Timer;
  /** Resolves after `ms`, or at once when `signal` aborts; it never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms).unref();
    return { cancel: () => clearTimeout(timer) };
  },
  every(ms, run) {
    const timer = setInterval(run, ms).unref();
    return { cancel: () => clearInterval(timer) };
  },
  sleep(ms, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
      function done(): void {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      }
    });
  },
};

/** The kernel's monotonic clock (CLOCK_MONOTONIC), nanoseconds: to compare with times that the kernel itself gives. */
export const kernelTime = (): number => Number(process.hrtime.bigint());
