/** The tag product's two actions, called as Terraform's zone resource calls them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionWorld, STRANGER, ZONE } from '../../../../test/world/actions.ts';

const Resource = `qcs::teo:ap-guangzhou:uin/:zone/${ZONE}`;
const ASK = {
  ServiceType: 'teo',
  ResourcePrefix: 'zone',
  ResourceRegion: 'ap-guangzhou',
  ResourceIds: [ZONE],
  Limit: 100,
  Offset: 0,
};

test('tags that were put are listed, and gone when they are removed', async () => {
  await using world = await actionWorld();
  assert.deepEqual(await world.call('DescribeResourceTagsByResourceIds', ASK), {
    TotalCount: 0,
    Offset: 0,
    Limit: 100,
    Tags: [],
  });
  const tags = ['a', 'b', 'c'].map((key) => ({ TagKey: key, TagValue: key.toUpperCase() }));
  await world.call('ModifyResourceTags', { Resource, ReplaceTags: tags });
  await world.call('ModifyResourceTags', {
    Resource,
    ReplaceTags: [{ TagKey: 'a', TagValue: 'new' }],
    DeleteTags: [{ TagKey: 'b' }, { TagKey: 'never' }],
  });
  const tag = (TagKey: string, TagValue: string) => ({ TagKey, TagValue, ResourceId: ZONE, ServiceType: 'teo' });
  const { Tags } = await world.call('DescribeResourceTagsByResourceIds', ASK);
  assert.deepEqual(Tags, [tag('a', 'new'), tag('c', 'C')]);
  const page = await world.call('DescribeResourceTagsByResourceIds', { ...ASK, Offset: 1, Limit: 1 });
  assert.deepEqual([page.TotalCount, page.Tags], [2, [tag('c', 'C')]]);
  const { Zones } = await world.call('DescribeZones', { Filters: [{ Name: 'tag-key', Values: ['c'] }] });
  assert.equal(Zones.length, 1);
});

test('what is no zone of the caller has no tags', async () => {
  await using world = await actionWorld();
  await world.call('ModifyResourceTags', { Resource, ReplaceTags: [{ TagKey: 'a', TagValue: '1' }] });
  for (const request of [
    { ...ASK, ServiceType: 'cvm' },
    { ...ASK, ResourcePrefix: 'instance' },
    { ...ASK, ResourceIds: ['zone-000000000000'] },
  ]) {
    assert.equal((await world.call('DescribeResourceTagsByResourceIds', request)).TotalCount, 0);
  }
  assert.equal((await world.call('DescribeResourceTagsByResourceIds', ASK, STRANGER)).TotalCount, 0);
});

test('ModifyResourceTags: every refusal has its cause', async () => {
  await using world = await actionWorld();
  const many = Array.from({ length: 51 }, (_, i) => ({ TagKey: `k${i}`, TagValue: '' }));
  const cases: [code: string, request: object][] = [
    ['InvalidParameterValue', { Resource: 'qcs::cvm::uin/:instance/ins-1' }],
    ['ResourceNotFound', { Resource: 'qcs::teo::uin/:zone/zone-000000000000' }],
    ['InvalidParameterValue.InvalidTagValue', { ReplaceTags: many }],
    ['InvalidParameterValue.InvalidTagValue', { ReplaceTags: [{ TagKey: '', TagValue: '' }] }],
  ];
  for (const [code, request] of cases) {
    assert.equal(await world.refusedWith('ModifyResourceTags', { Resource, ...request }), code);
  }
});
