// The JavaScript clients, over REST and over gRPC: node clients.mjs HTTP_PORT GRPC_PORT
import assert from 'node:assert/strict';
import {QdrantClient as Rest} from '@qdrant/js-client-rest';
import {QdrantClient as Grpc} from '@qdrant/js-client-grpc';

const [httpPort, grpcPort] = process.argv.slice(2).map(Number);
const uuid = '5c56c793-69f3-4fbf-87e6-c4bf54c28c26';

async function rest() {
    const client = new Rest({host: '127.0.0.1', port: httpPort});
    await client.createCollection('js', {vectors: {size: 3, distance: 'Cosine'}});
    assert.deepEqual((await client.getCollections()).collections, [{name: 'js'}]);
    assert.equal((await client.collectionExists('js')).exists, true);
    const done = await client.upsert('js', {
        wait: true,
        points: [
            {id: 1, vector: [1, 0, 0], payload: {city: 'Berlin', n: 1}},
            {id: 2, vector: [0, 1, 0], payload: {city: 'London', n: 2}},
            {id: uuid, vector: [0, 0, 1], payload: {city: 'Moscow', n: 3}},
        ],
    });
    assert.equal(done.status, 'completed');
    const info = await client.getCollection('js');
    assert.equal(info.points_count, 3);
    assert.equal(info.config.params.vectors.distance, 'Cosine');
    await client.createPayloadIndex('js', {field_name: 'n', field_schema: 'integer', wait: true});
    const found = await client.query('js', {query: [0.9, 0.1, 0], limit: 2, with_payload: true});
    assert.deepEqual(found.points.map((p) => p.id), [1, 2]);
    assert.deepEqual(found.points[0].payload, {city: 'Berlin', n: 1});
    const searched = await client.search('js', {vector: [0, 0, 1], limit: 1, filter: {must: [{key: 'n', range: {gte: 2}}]}});
    assert.equal(searched[0].id, uuid);
    const page = await client.scroll('js', {limit: 2});
    assert.deepEqual([page.points.map((p) => p.id), page.next_page_offset], [[1, 2], uuid]);
    assert.equal((await client.count('js', {exact: true, filter: {must: [{key: 'city', match: {any: ['London', 'Berlin']}}]}})).count, 2);
    await client.setPayload('js', {payload: {seen: true}, points: [1], wait: true});
    const [one] = await client.retrieve('js', {ids: [1], with_payload: true, with_vector: true});
    assert.deepEqual([one.payload, one.vector], [{city: 'Berlin', n: 1, seen: true}, [1, 0, 0]]);
    await client.delete('js', {points: [2], wait: true});
    assert.equal((await client.count('js')).count, 2);
    await assert.rejects(client.query('nowhere', {query: [1, 0, 0]}), (e) => e.status === 404);
    await assert.rejects(client.query('js', {query: [1, 0]}), (e) => e.status === 400);
    assert.equal(await client.deleteCollection('js'), true);
}

async function grpc() {
    const client = new Grpc({host: '127.0.0.1', port: grpcPort});
    const name = 'js-grpc';
    const vectorsConfig = {config: {case: 'params', value: {size: 3n, distance: 1}}};
    await client.api('collections').create({collectionName: name, vectorsConfig});
    const point = (number, data) => ({
        id: {pointIdOptions: {case: 'num', value: number}},
        vectors: {vectorsOptions: {case: 'vector', value: {data}}},
        payload: {n: {kind: {case: 'integerValue', value: number}}},
    });
    await client.api('points').upsert({collectionName: name, wait: true, points: [point(1n, [1, 0, 0]), point(2n, [0, 1, 0])]});
    const {result} = await client.api('points').search({collectionName: name, vector: [0, 1, 0], limit: 1n, withPayload: {selectorOptions: {case: 'enable', value: true}}});
    assert.equal(result[0].id.pointIdOptions.value, 2n);
    assert.equal(result[0].payload.n.kind.value, 2n);
    const counted = await client.api('points').count({collectionName: name, exact: true});
    assert.equal(counted.result.count, 2n);
    await client.api('collections').delete({collectionName: name});
}

await rest();
console.log('JavaScript over REST: ok');
await grpc();
console.log('JavaScript over gRPC: ok');
