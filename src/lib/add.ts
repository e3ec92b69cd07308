/** Sums of what was counted in two places. Pure; edge and control add up counters with it. */

/** Numbers of one name are added, in tables within as well; a name that only one of them has is taken over. */
export function addNumbers<T extends object>(a: T, b: T): T {
  const sum: Record<string, unknown> = Object.fromEntries(Object.entries(a));
  for (const [name, more] of Object.entries(b)) sum[name] = add(sum[name], more);
  return sum as T;
}

function add(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (isTable(a) && isTable(b)) return addNumbers(a, b);
  return b ?? a;
}

function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
