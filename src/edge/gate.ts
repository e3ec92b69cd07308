/** Lets at most so many through at a time; the others wait in order. */
interface Gate {
  /** Resolves with the way out, once there is a place. Leaving twice counts once. */
  enter(): Promise<() => void>;
}

export function createGate(places: number): Gate {
  let free = places;
  // not: shift() on one array, which moves all who wait behind, every time.
  let arrived: (() => void)[] = [];
  let next: (() => void)[] = [];

  function first(): (() => void) | undefined {
    if (next.length === 0) {
      next = arrived.reverse();
      arrived = [];
    }
    return next.pop();
  }

  function pass(): () => void {
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      const enter = first();
      if (enter) enter();
      else free += 1;
    };
  }
  return {
    async enter() {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => arrived.push(resolve));
      return pass();
    },
  };
}
