import assert from 'node:assert/strict'
import { test } from 'node:test'
import { executeTemplate } from './go-template.ts'

const data = {
  Name: 'hello',
  Namespace: 'shop',
  Domain: 'example.com',
  Annotations: { sub: 'foo', 'a.b/c': 'dotted' },
  Labels: {},
  Header: { Accept: ['a', 'b'] },
}
const filled = (text: string): string => executeTemplate('t', text, data)

test('what every object of JavaScript has is no function, and no field', () => {
  for (const name of ['constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
    assert.throws(() => filled(`{{${name} .Name}}`), new RegExp(`function "${name}" not defined`))
    assert.equal(filled(`{{.Labels.${name}}}{{index .Annotations "${name}"}}`), '<no value>')
  }
})

test('templates of hosts are filled in as Go does', () => {
  const rows: [string, string][] = [
    ['{{.Name}}.{{.Namespace}}.{{.Domain}}', 'hello.shop.example.com'],
    ['{{ .Name }}-{{- .Namespace -}} .x', 'hello-shop.x'],
    ['{{ index .Annotations "sub"}}.{{index .Annotations "a.b/c"}}{{index .Annotations "none"}}', 'foo.dotted'],
    ['{{.Labels.team}}', '<no value>'],
    ['{{.Annotations.sub}}', 'foo'],
    ['{{if .Labels.team}}{{.Labels.team}}.{{else if eq .Namespace "shop" "other"}}s.{{else}}x.{{end}}h', 's.h'],
    ['{{if and .Name (not .Labels)}}yes{{end}}{{/* no word of it */}}', 'yes'],
    ['{{.Name | printf "%s-%s" .Namespace}}{{printf `%q%%` "}}"}}', 'shop-hello"}}"%'],
    ['{{if ne (len .Name) 5}}no{{end}}{{or "" .Domain}}{{print 1 true}}', 'example.com1true'],
    ['{{.Annotations}}', 'map[a.b/c:dotted sub:foo]'],
    ['{{.Header.Accept}}{{index .Header "Accept" 1}}{{index .Header "None"}}', '[a b]b[]'],
    [String.raw`{{js "a\"'<=>\n&\\ é"}}`, String.raw`a\"\'\u003C\u003D\u003E\u000A\u0026\\ é`],
    ['no action at all', 'no action at all'],
  ]
  for (const [text, expected] of rows) assert.equal(filled(text), expected, text)
})

test('what is no template, or asks for what is not there, is refused by name', () => {
  const rows: [string, RegExp][] = [
    ['{{.Name', /^Error: template: t: unclosed action$/],
    ['{{.Nam}}', /can't evaluate field Nam/],
    ['{{.Name.First}}', /can't evaluate field First/],
    ['{{lower .Name}}', /function "lower" not defined/],
    ['{{if .Name}}x', /unexpected EOF/],
    ['{{end}}', /unexpected \{\{end\}\}/],
    ['{{.Name $}}', /unexpected "\$"/],
    ['{{.Name "x"}}', /unexpected/],
    ['{{index .Name "x"}}', /can't index/],
    ['{{index .Header "Accept" 2}}', /index out of range: 2/],
    ['{{.Header.Accept.length}}', /can't evaluate field length/],
    ['{{}}', /missing value/],
    ['{{(.Name}}', /unclosed left paren/],
    ['{{"a" | .Name}}', /non-function/],
    ['{{if .Name}}a{{else b}}c{{end}}', /unexpected \{\{else b\}\}/],
  ]
  for (const [text, expected] of rows) assert.throws(() => filled(text), expected, text)
})

test('a template with an action that is never closed is refused at once, however many quotes follow', () => {
  const texts = [
    '{{.Name} "a": "b", '.padEnd(4_000, '"c": "d", '),
    `{{.Name} ${'"a` '.repeat(1_000)}`,
    '{{.Name "a'.repeat(500),
  ]
  for (const text of texts) assert.throws(() => filled(text), /unclosed action/)
})
