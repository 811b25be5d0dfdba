// Frames of an IVF file: a 32 byte header, then each frame behind its size and time.
import { readFileSync } from 'node:fs';

export function readIVF(path) {
  const b = readFileSync(path);
  if (b.toString('latin1', 0, 4) !== 'DKIF' || b.toString('latin1', 8, 12) !== 'VP80') throw new Error(`${path} is no VP8 in IVF`);
  const frames = [];
  for (let at = b.readUInt16LE(6); at + 12 <= b.length;) {
    const size = b.readUInt32LE(at);
    const data = b.subarray(at + 12, at + 12 + size);
    frames.push({ data, key: (data[0] & 1) === 0 }); // RFC 6386, section 9.1
    at += 12 + size;
  }
  if (!frames.length) throw new Error(`${path} has no frames`);
  return { width: b.readUInt16LE(12), height: b.readUInt16LE(14), frames };
}
