/** A million hostile headers: none may be accepted wrongly, none may throw. */
import { passThroughProperties } from '../suites/pass-through-properties.ts';

passThroughProperties(500_000);
