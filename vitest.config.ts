import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**'],
    globalSetup: ['test/build-first.ts'],
    // Real servers on loopback start and stop in these tests; a busy two-core machine needs the room.
    testTimeout: 20_000,
    // Most of the time goes to waiting for servers: on two cores Vitest's own choice would be one file at a time, and the gate twice as long.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    hookTimeout: 30_000,
  },
});
