# Finds Node and npm for the test with the official Node client, or installs Debian's where that is possible. Says so and
# goes on where it is not: that test then skips with the same sentence.
if command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1; then exit 0; fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nodejs npm >/dev/null && exit 0
fi
echo "Node and npm are not installed: the test with the official Node client will be skipped (install both)."
