// Where the examples find EdgeFour: the environment, else what `npm start` left in .edgefour.
import { readFileSync } from 'node:fs';
import { env } from 'node:process';

export function settings() {
  const kept = env.TENCENTCLOUD_SECRET_ID && env.EDGEFOUR_ZONE ? {} : read();
  return {
    api: env.EDGEFOUR_API ?? '127.0.0.1:7400',
    secretId: env.TENCENTCLOUD_SECRET_ID ?? kept.secretId,
    secretKey: env.TENCENTCLOUD_SECRET_KEY ?? kept.secretKey,
    zoneId: env.EDGEFOUR_ZONE ?? kept.zoneId,
  };
}

function read() {
  return JSON.parse(readFileSync(new URL('../.edgefour/credentials.json', import.meta.url), 'utf8'));
}
