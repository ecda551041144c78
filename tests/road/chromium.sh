# Finds Chromium for the browser tests, or installs Debian's where that is possible. Says so and goes on where it is not:
# the browser tests then skip with the same sentence.
if [ -n "$CHROMIUM" ] || command -v chromium >/dev/null 2>&1; then exit 0; fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null && exit 0
fi
echo "Chromium is not installed: the browser tests will be skipped (install it, or set CHROMIUM to its path)."
