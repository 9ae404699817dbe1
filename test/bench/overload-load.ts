import { answerMessages } from './child-process.ts';
import { flood } from './overload-world.ts';
import type { Flood } from './overload-world.ts';

answerMessages(async (work: Flood) => ({ fates: await flood(work) }));
