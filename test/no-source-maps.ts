/** Loaded before each test file: types are stripped in place, so positions are true without the source maps that tap would read of every library. */
process.setSourceMapsEnabled(false);
