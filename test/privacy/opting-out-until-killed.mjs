// Opts out one after the other and says so, until it is killed: node opting-out-until-killed.mjs FILE ROUND
import process from 'node:process';
import { OptOutFile } from '../../dist/privacy/opt-out-file.js';

const [path, round] = process.argv.slice(2);
const file = await OptOutFile.open(path);
for (let n = 0; ; n++) {
  const mailbox = `p${n}@round${round}.example`;
  await file.change({ add: [{ mailbox, by: 'test', via: 'test', at: n }] });
  process.stdout.write(`${mailbox}\n`);
}
