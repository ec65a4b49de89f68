import fc from 'fast-check'
import t from 'tap'
import { addressKind } from '../../src/egress/address.ts'

const kinds = {
  public: [
    '8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450:4001::1',
    '::ffff:8.8.8.8', '64:ff9b::8.8.8.8', '2002:808:808::1'
  ],
  private: [
    '127.0.0.1', '127.255.255.254', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1',
    '100.64.0.1', '100.127.255.254', '::ffff:100.64.0.1', '64:ff9b::100.64.0.1', '2002:6440:1::1',
    '::1', 'fc00::1', 'fd12:3456::1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '64:ff9b::10.0.0.1', '2002:7f00:1::',
    '2002:c0a8:101::1'
  ],
  forbidden: [
    // unspecified, broadcast, multicast
    '0.0.0.0', '0.1.2.3', '::', '255.255.255.255', '224.0.0.1', '239.255.255.255', 'ff02::1',
    // link-local and metadata services
    '169.254.1.1', '169.254.169.254', 'fe80::1', 'fe80::1%eth0', '::ffff:169.254.169.254', '64:ff9b::169.254.169.254',
    '2002:a9fe:a9fe::1',
    '168.63.129.16', 'fd00:ec2::254', 'fd20:ce::254', '::ffff:168.63.129.16',
    // reserved, documentation, benchmarking
    '100.100.100.200', '::ffff:100.100.100.200', '192.0.0.1', '192.0.0.192', '192.0.2.1', '198.51.100.7', '203.0.113.9',
    '198.18.0.1', '240.0.0.1',
    '2001:db8::1', '3fff::1', '2001:2::1',
    // tunnels and translations that end who knows where; what is not given out
    '2001::1', '64:ff9b:1::1', '::ffff:0:8.8.8.8', '::808:808', '::7f00:1', 'fec0::1', '100::1', '4000::1', '5f00::1',
    // no address
    '', 'localhost', 'example.com', '999.1.1.1'
  ]
} as const

for (const [kind, addresses] of Object.entries(kinds)) {
  t.test(`addresses that are ${kind}`, async t => {
    for (const address of addresses) t.equal(addressKind(address), kind, address)
  })
}

t.test('an IPv4 address means the same in each of its IPv6 forms', async t => {
  const hex = (octets: number[]) =>
    octets.map(octet => octet.toString(16).padStart(2, '0')).join('').replace(/^(....)/, '$1:')
  fc.assert(fc.property(fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }), octets => {
    const kind = addressKind(octets.join('.'))
    const forms = [`::ffff:${hex(octets)}`, `64:ff9b::${hex(octets)}`, `2002:${hex(octets)}::1`]
    return forms.every(form => addressKind(form) === kind)
  }))
  t.pass('for a hundred random addresses')
})
