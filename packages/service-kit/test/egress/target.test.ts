import t from 'tap'
import type { EgressRules } from '../../src/egress/rules.ts'
import { targetOf } from '../../src/egress/target.ts'

const strict: EgressRules = { allowPrivate: false, requireHttps: false }
const faultOf = (url: string, rules = strict) => targetOf(url, rules).fault

t.test('http and https URLs of names and public addresses are targets', async t => {
  for (const url of [
    'https://example.com/hook?a=b', 'http://example.com:8080', 'https://8.8.8.8/', 'https://[2606:4700::1111]/',
    'https://2130706433.example.com/'
  ]) {
    t.equal(faultOf(url), undefined, url)
  }
})

t.test('a text that is not a URL, has another scheme or contains credentials is refused', async t => {
  t.equal(faultOf('not a url'), 'must be a URL')
  t.equal(faultOf('/relative'), 'must be a URL')
  for (const url of ['ftp://example.com/', 'file:///etc/passwd', 'javascript:alert(1)', 'gopher://example.com']) {
    t.equal(faultOf(url), 'must be an http or https URL', url)
  }
  t.equal(faultOf('https://user:secret@example.com/'), 'must not contain a user name or password')
  t.equal(faultOf('https://user@example.com/'), 'must not contain a user name or password')
})

t.test('every spelling of a private address is recognized', async t => {
  const hosts = [
    '127.0.0.1', '127.1', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1', '017700000001', '127.0.0.1.', '127.0.0.1',
    '10.0.0.1', '0xa9fea9fe', '169.254.169.254', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[fd00:ec2::254]', '0', '0.0.0.0', '%31%32%37.0.0.1', '①②⑦.0.0.1'
  ]
  for (const host of hosts) t.equal(faultOf(`http://${host}/`), 'must not point at an address that is not public', host)
})

t.test('allowPrivate allows loopback and private networks, and nothing else', async t => {
  const rules = { ...strict, allowPrivate: true }
  for (const host of ['127.0.0.1', '10.1.2.3', '192.168.0.1', '[::1]', '[fd00::1]', '100.64.0.1']) {
    t.equal(faultOf(`http://${host}/`, rules), undefined, host)
  }
  for (const host of ['169.254.169.254', '0.0.0.0', '224.0.0.1', '100.100.100.200', '[fe80::1]', '[fd00:ec2::254]']) {
    t.equal(faultOf(`http://${host}/`, rules), 'must not point at an address that is not public', host)
  }
})

t.test('https and certain ports can be required', async t => {
  t.equal(faultOf('http://example.com/', { ...strict, requireHttps: true }), 'must be an https URL')
  const rules = { ...strict, ports: [443, 8443] }
  t.equal(faultOf('https://example.com/', rules), undefined)
  t.equal(faultOf('https://example.com:8443/', rules), undefined)
  t.equal(faultOf('http://example.com/', rules), 'must use one of the ports 443, 8443')
  t.equal(faultOf('https://example.com:22/', rules), 'must use one of the ports 443, 8443')
})
