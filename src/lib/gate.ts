/** Lets at most so many through at a time; the others wait in order. */
export interface Gate {
  /** Resolves with the way out, once there is a place. Leaving twice counts once. */
  enter(): Promise<() => void>;
}

export function createGate(places: number): Gate {
  let free = places;
  const waiting: (() => void)[] = [];

  function pass(): () => void {
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    };
  }
  return {
    async enter() {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return pass();
    },
  };
}
