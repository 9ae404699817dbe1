import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**'],
    globalSetup: ['test/build-first.ts'],
    // Real servers on loopback start and stop in these tests; a busy two-core machine needs the room.
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
