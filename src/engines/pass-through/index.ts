/** The client-address modes: a file and a line per mode, complete by type. Asked by engines for each connection or session. */
import type { Mode } from '../../domain/l4-rule/modes.ts';
import { off } from './off.ts';
import type { PassThrough } from './pass-through.ts';
import { ppv1 } from './ppv1.ts';
import { ppv2 } from './ppv2.ts';
import { spp } from './spp.ts';
import { toa } from './toa.ts';

export const PASS_THROUGH: Readonly<Record<Mode, PassThrough>> = {
  OFF: off,
  TOA: toa,
  PPV1: ppv1,
  PPV2: ppv2,
  SPP: spp,
};
