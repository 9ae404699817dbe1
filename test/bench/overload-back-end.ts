import { answerMessages } from './child-process.ts';
import { startOverloadedBackEnd } from './overload-world.ts';
import type { Capacity, OverloadedBackEnd } from './overload-world.ts';

let backEnd: OverloadedBackEnd | undefined;

answerMessages(async (capacity: Capacity) => {
  backEnd ??= await startOverloadedBackEnd(capacity);
  return { port: backEnd.port, ...backEnd.seen() };
});
