// Words of others, made safe for a terminal: events come from anybody, and what they hold ends up on somebody's screen.

/**
 * The text with its control characters written out (`^[` for escape), so that it can neither steer the terminal nor
 * overwrite what stands there. Line ends and tabs stay. Source: kubernetes/cli-runtime pkg/printers/terminal.go.
 */
export const printable = (text: string): string => text.replace(controls, written)

const controls = /(?![\n\t])\p{Cc}/gu

/** Caret notation below 128, as terminals themselves show them, `\u009b` above. */
function written(control: string): string {
  const code = control.charCodeAt(0)
  return code < 0x80 ? `^${String.fromCharCode(code ^ 0x40)}` : `\\u${code.toString(16).padStart(4, '0')}`
}
