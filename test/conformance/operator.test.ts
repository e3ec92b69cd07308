/** Keys, policies and faults on demand, over the wire, as `edgefour key|policy|fault` use them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDesk, type Desk, type Reply, ROOT } from './desk.ts';
import type { Identity } from './sign.ts';
import { Count, Echo } from './toys.ts';

const open = (): Promise<Desk> => openDesk({ actions: { Echo, Count } });
const code = (reply: Reply): string => reply.Error?.Code ?? 'OK';
const CAM = 'UnauthorizedOperation.CamUnauthorized';

function document(...statements: [effect: string, action: string, resource: string][]): string {
  return JSON.stringify({
    version: '2.0',
    statement: statements.map(([effect, action, resource]) => ({ effect, action: [action], resource: [resource] })),
  });
}

async function createKey(desk: Desk, payload: object, who: Identity = ROOT): Promise<Identity> {
  const reply = await desk.call('EdgeFourCreateKey', payload, who);
  assert.equal(reply.Error, undefined);
  const token = String(reply['Token']);
  const pair = { secretId: String(reply['SecretId']), secretKey: String(reply['SecretKey']) };
  return token === '' ? pair : { ...pair, token };
}

test('a key may do what its policies say, from the next call on', async () => {
  await using desk = await open();
  const put = (name: string, text: string): Promise<Reply> =>
    desk.call('EdgeFourPutPolicy', { Name: name, Document: text });
  assert.equal(code(await put('one-zone', document(['allow', 'teo:*', 'qcs::teo::uin/:zone/zone-1']))), 'OK');
  const sam = await createKey(desk, { User: 'sam', Policies: ['one-zone'] });
  assert.equal(code(await desk.call('Count', { ZoneId: 'zone-1' }, sam)), 'OK');
  const refused = await desk.call('Count', { ZoneId: 'zone-2' }, sam);
  assert.deepEqual(refused.Error, {
    Code: CAM,
    Message:
      'The CAM policies of the caller do not allow this operation. No policy of `sam` allows teo:Count on qcs::teo::uin/100000000001:zone/zone-2.',
  });
  assert.equal(code(await desk.call('EdgeFourListKeys', {}, sam)), CAM);
  await put('one-zone', document(['allow', '*', '*'], ['deny', 'teo:Count', '*']));
  assert.equal(code(await desk.call('Count', { ZoneId: 'zone-1' }, sam)), CAM);
  assert.equal(code(await desk.call('Echo', { ZoneId: 'zone-2' }, sam)), 'OK');
  assert.equal(code(await desk.call('EdgeFourListKeys', {}, sam)), 'OK');
});

test('keys: made, listed without their secret, revoked', async () => {
  await using desk = await open();
  const other = await createKey(desk, { User: 'root' });
  const list = await desk.call('EdgeFourListKeys', {}, other);
  assert.equal(list['TotalCount'], 2);
  assert.ok(!JSON.stringify(list).includes(other.secretKey));
  assert.equal(code(await desk.call('EdgeFourRevokeKey', { KeyId: other.secretId }, other)), 'OperationDenied');
  assert.equal(code(await desk.call('EdgeFourRevokeKey', { KeyId: 'AKIDNOBODY' })), 'ResourceNotFound');
  assert.equal(code(await desk.call('EdgeFourRevokeKey', { KeyId: other.secretId })), 'OK');
  assert.equal(code(await desk.call('Echo', { ZoneId: 'z' }, other)), 'AuthFailure.SecretIdNotFound');
});

test('temporary keys come with a token and end by themselves', async () => {
  await using desk = await open();
  const temporary = await createKey(desk, { User: 'root', Temporary: true, ExpiresSeconds: 60 });
  assert.equal(code(await desk.call('Echo', { ZoneId: 'z' }, temporary)), 'OK');
  desk.advance(59_999);
  assert.equal(code(await desk.call('Echo', { ZoneId: 'z' }, temporary)), 'OK');
  desk.advance(1);
  assert.equal(code(await desk.call('Echo', { ZoneId: 'z' }, temporary)), 'AuthFailure.TokenFailure');
  const lasting = await desk.call('EdgeFourCreateKey', { User: 'a', ExpiresSeconds: 60 });
  assert.equal(code(lasting), 'InvalidParameterValue');
});

test('making keys is no way to become root', async () => {
  await using desk = await open();
  await desk.call('EdgeFourPutPolicy', { Name: 'keys', Document: document(['allow', 'edgefour:*', '*']) });
  const sam = await createKey(desk, { User: 'sam', Policies: ['keys'] });
  assert.equal(code(await desk.call('EdgeFourCreateKey', { User: 'root' }, sam)), CAM);
  assert.equal(code(await desk.call('EdgeFourRevokeKey', { KeyId: ROOT.secretId }, sam)), CAM);
  await createKey(desk, { User: 'other', Policies: ['keys'] }, sam);
});

test('nobody grants what they have not: by a key, a policy, or one that outlives their own', async () => {
  await using desk = await open();
  const put = async (name: string, text: string, who: Identity = ROOT): Promise<string> =>
    code(await desk.call('EdgeFourPutPolicy', { Name: name, Document: text }, who));
  await put('admin', document(['allow', '*', '*']));
  await put(
    'keys',
    document(['allow', 'edgefour:EdgeFourCreateKey', '*'], ['allow', 'edgefour:EdgeFourPutPolicy', '*']),
  );
  const sam = await createKey(desk, { User: 'sam', Policies: ['keys'] });
  const admin = await desk.call('EdgeFourCreateKey', { User: 'x', Policies: ['admin'] }, sam);
  assert.equal(admin.Error?.Code, CAM);
  assert.match(admin.Error?.Message ?? '', /`sam` can't give what it has not: \* on \*\.$/);
  assert.equal(await put('keys', document(['allow', '*', '*']), sam), CAM);
  assert.equal(await put('new', document(['allow', 'teo:DescribeZones', '*']), sam), CAM);
  assert.equal(await put('new', document(['allow', 'edgefour:EdgeFourCreateKey', '*']), sam), 'OK');
  assert.equal(code(await desk.call('Echo', { ZoneId: 'z' }, sam)), CAM);

  // What another's policy denies is granted to them when it no longer does.
  await put('fenced', document(['allow', '*', '*'], ['deny', 'teo:*', 'qcs::teo::uin/:zone/z']));
  assert.equal(await put('fenced', document(['allow', 'edgefour:EdgeFourCreateKey', '*']), sam), CAM);

  const brief = await createKey(desk, { User: 'sam', Policies: ['keys'], Temporary: true, ExpiresSeconds: 60 });
  const lasting = { User: 'x', Policies: ['new'] };
  assert.equal(code(await desk.call('EdgeFourCreateKey', lasting, brief)), CAM);
  assert.equal(code(await desk.call('EdgeFourCreateKey', { ...lasting, Temporary: true }, brief)), CAM);
  await createKey(desk, { ...lasting, Temporary: true, ExpiresSeconds: 60 }, brief);
});

test('accounts see their own keys and policies only', async () => {
  await using desk = await open();
  const stranger = { secretId: 'AKIDSTRANGER', secretKey: 'SK' };
  await desk.putKey({ ...stranger, account: '2' });
  await desk.call('EdgeFourPutPolicy', { Name: 'p', Document: document(['allow', '*', '*']) });
  assert.equal((await desk.call('EdgeFourListKeys', {}, stranger))['TotalCount'], 1);
  assert.equal((await desk.call('EdgeFourListPolicies', {}, stranger))['TotalCount'], 0);
  const taken = await desk.call('EdgeFourCreateKey', { User: 'a', Policies: ['p'] }, stranger);
  assert.equal(code(taken), 'ResourceNotFound');
  assert.equal(code(await desk.call('EdgeFourRevokeKey', { KeyId: ROOT.secretId }, stranger)), 'ResourceNotFound');
});

test('policies: a bad document is refused with the reason, one in use stays', async () => {
  await using desk = await open();
  const bad = await desk.call('EdgeFourPutPolicy', { Name: 'p', Document: '{"version":"2.0"}' });
  assert.match(bad.Error?.Message ?? '', /^The value of parameter `Document` is not valid\. .*lacks `statement`/);
  assert.equal((await desk.call('EdgeFourListPolicies', {}))['TotalCount'], 0);
  const text = document(['allow', 'teo:Describe*', '*']);
  await desk.call('EdgeFourPutPolicy', { Name: 'p', Document: text });
  const { Policies } = await desk.call('EdgeFourListPolicies', {});
  assert.deepEqual(Policies, [{ Name: 'p', Document: text }]);
  const { secretId } = await createKey(desk, { User: 'sam', Policies: ['p'] });
  assert.equal(code(await desk.call('EdgeFourDeletePolicy', { Name: 'p' })), 'ResourceInUse');
  await desk.call('EdgeFourRevokeKey', { KeyId: secretId });
  assert.equal(code(await desk.call('EdgeFourDeletePolicy', { Name: 'p' })), 'OK');
  assert.equal(code(await desk.call('EdgeFourDeletePolicy', { Name: 'p' })), 'ResourceNotFound');
});

test('faults on demand strike the next calls that would have worked', async () => {
  await using desk = await open();
  const add = (payload: object): Promise<Reply> => desk.call('EdgeFourAddFault', payload);
  const echo = async (payload: object = { ZoneId: 'z' }): Promise<string> => code(await desk.call('Echo', payload));
  await add({ ActionName: 'Echo', Code: 'OperationDenied.L4LackOfResources', Times: 2 });
  await add({ ActionName: 'Echo', DelayMs: 250 });
  assert.equal(await echo({}), 'MissingParameter');
  assert.equal(await echo(), 'OperationDenied.L4LackOfResources');
  assert.deepEqual((await desk.call('EdgeFourListFaults', {}))['Faults'], [
    { ActionName: 'Echo', Code: 'OperationDenied.L4LackOfResources', Times: 1, DelayMs: 0 },
    { ActionName: 'Echo', Code: '', Times: 1, DelayMs: 250 },
  ]);
  assert.equal(await echo(), 'OperationDenied.L4LackOfResources');
  assert.deepEqual([await echo(), desk.slept], ['OK', [250]]);
  await add({ ActionName: 'Echo', Code: 'InternalError', Times: 5 });
  assert.equal(code(await desk.call('EdgeFourClearFaults', {})), 'OK');
  assert.equal(await echo(), 'OK');
});

test('faults that could never strike, or never be cleared, are refused', async () => {
  await using desk = await open();
  for (const payload of [
    { ActionName: 'Echo' },
    { ActionName: 'Echo', Code: 'NoSuchCode' },
    { ActionName: 'Ekko', Code: 'InternalError' },
    { ActionName: 'EdgeFourClearFaults', Code: 'InternalError' },
    { ActionName: 'Echo', Code: 'InternalError', Times: 0 },
  ]) {
    assert.equal(code(await desk.call('EdgeFourAddFault', payload)), 'InvalidParameterValue', JSON.stringify(payload));
  }
  for (let n = 0; n < 1000; n++) await desk.call('EdgeFourAddFault', { ActionName: 'Echo', DelayMs: 1 });
  assert.equal(code(await desk.call('EdgeFourAddFault', { ActionName: 'Echo', DelayMs: 1 })), 'LimitExceeded');
});
