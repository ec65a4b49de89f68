import t from 'tap'
import { fixedPorts, freePorts, refuseUnusablePorts } from '../../src/system/ports.ts'

t.test('the ports of the services follow PORT', async t => {
  t.same(fixedPorts({}, 1), {
    edge: 4000,
    jobsApi: 4001,
    gateways: [4002],
    dispatcher: 4003,
    postgres: 4032,
    redis: 4079
  })
  t.same(fixedPorts({ PORT: '5000' }, 3), {
    edge: 5000,
    jobsApi: 5001,
    gateways: [5002, 5004, 5005],
    dispatcher: 5003,
    postgres: 5032,
    redis: 5079
  })
})

t.test('each service can have a port of its own', async t => {
  const ports = fixedPorts({ JOBS_API_PORT: '7001', REALTIME_GATEWAY_PORT: '7002', WEBHOOK_DISPATCHER_PORT: '7003' }, 2)
  t.match(ports, { edge: 4000, jobsApi: 7001, gateways: [7002, 4004], dispatcher: 7003 })
})

t.test('invalid ports are refused', async t => {
  t.throws(() => fixedPorts({ PORT: 'x' }, 1), { message: 'PORT must be a port from 1 to 65000, not x' })
  t.throws(() => fixedPorts({}, 0), { message: 'The number of gateways must be from 1 to 29' })
  t.throws(() => fixedPorts({}, 30))
})

t.test('free ports are distinct', async t => {
  const { gateways, ...ports } = await freePorts(3)
  t.equal(new Set([...gateways, ...Object.values(ports)]).size, 8)
})

t.test('a port that fetch blocks is refused for HTTP servers only', async t => {
  await t.rejects(refuseUnusablePorts([{ name: 'edge', port: 6000, speaksHttp: true }]), {
    message: /^Browsers and fetch refuse to call port 6000 \(edge\)\./
  })
  await refuseUnusablePorts([{ name: 'redis', port: 6000, speaksHttp: false }])
})
