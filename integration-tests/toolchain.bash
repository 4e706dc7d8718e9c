# shellcheck shell=bash
# What building and testing need on this machine; sourced by build, test and quickstart.

toolchain_say() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# toolchain_package COMMAND PACKAGE…: installs the Debian packages if the command is missing.
toolchain_package() {
  local command=$1
  shift
  type -P "$command" >/dev/null && return 0
  if [[ $EUID != 0 ]] || ! type -P apt-get >/dev/null; then
    toolchain_say "'$command' is missing and cannot be installed here; install $*"
    exit 1
  fi
  toolchain_say "installing $*"
  toolchain_apt "$@"
}

toolchain_apt() {
  local log
  log=$(mktemp)
  if ! { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install "$@"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    toolchain_say "apt could not install $*"
    exit 1
  fi
  rm -f "$log"
}

# toolchain_maven ARGUMENT…: runs Maven with JDK 25: this machine's, or its distribution's, or in a
# container of Debian trixie, which has both. HPCRUN_BUILD_IN_CONTAINER=1 forces the container.
toolchain_maven() {
  if [[ -z ${HPCRUN_BUILD_IN_CONTAINER-} ]] && { toolchain_find_java || toolchain_install_java; }; then
    toolchain_package mvn maven
    toolchain_package shellcheck shellcheck
    toolchain_package bats bats
    toolchain_package lua5.1 lua5.1
    toolchain_package lua5.4 lua5.4
    toolchain_package luacheck lua-check
    toolchain_package unsquashfs squashfs-tools
    # Another static compiler does as well, but makes hpcrun-enter larger.
    if [[ $EUID == 0 ]] || ! type -P cc >/dev/null; then
      toolchain_package musl-gcc musl-tools
    fi
    # Maven 3.8's own libraries make JDK 25 warn.
    MAVEN_OPTS="--sun-misc-unsafe-memory-access=allow ${MAVEN_OPTS-}" mvn -Dstyle.color=never "$@"
  else
    toolchain_maven_in_container "$@"
  fi
}

# What the daemon's tests need besides: a PostgreSQL server, a browser, systemd-analyze. Without root, tests that lack one are skipped.
toolchain_for_tests() {
  [[ $EUID == 0 ]] && type -P apt-get >/dev/null || return 0
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || toolchain_package initdb postgresql
  type -P chromium >/dev/null || type -P chromium-browser >/dev/null || type -P google-chrome >/dev/null ||
    toolchain_package chromium chromium
  type -P systemd-analyze >/dev/null || toolchain_package systemd-analyze systemd
}

# Exports JAVA_HOME: a JDK 25 or newer from JAVA_HOME, the PATH or the usual directories.
toolchain_find_java() {
  local home version java
  java=$(type -P javac || true)
  for home in "${JAVA_HOME-}" "${java:+$(dirname "$(dirname "$(readlink -f "$java")")")}" /usr/lib/jvm/* /opt/jdk* /opt/java/*; do
    [[ -n $home && -x $home/bin/javac && -f $home/release ]] || continue
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release")
    if ((${version:-0} >= 25)); then
      export JAVA_HOME=$home
      return 0
    fi
  done
  return 1
}

toolchain_install_java() {
  local candidate
  if [[ $EUID != 0 ]] || ! type -P apt-cache >/dev/null; then
    return 1
  fi
  apt-get -q update >/dev/null 2>&1 || true
  candidate=$(apt-cache policy openjdk-25-jdk-headless 2>/dev/null | sed -n 's/^ *Candidate: //p')
  if [[ -z $candidate || $candidate == '(none)' ]]; then
    return 1
  fi
  toolchain_say "installing openjdk-25-jdk-headless"
  toolchain_apt openjdk-25-jdk-headless
  toolchain_find_java
}

# The container is the lab's node with the tools added. The repository and ~/.m2 are where they are
# outside, so that the tests can start containers of their own beside it.
toolchain_maven_in_container() {
  local node image
  toolchain_say "no JDK 25 here: building in a container of Debian trixie"
  node=$(./lab build)
  image=hpcrun-build:${node##*:}-3
  if ! docker image inspect "$image" >/dev/null 2>&1; then
    toolchain_say "adding JDK 25 and Maven to it (once, about a minute)"
    DOCKER_BUILDKIT=0 docker build --quiet --network host --tag "$image" - >/dev/null <<END
FROM $node
RUN apt-get -q update && apt-get -q -y install --no-install-recommends \
    openjdk-25-jdk-headless maven shellcheck bats lua5.1 lua5.4 lua-check musl-tools squashfs-tools git docker-cli && rm -rf /var/lib/apt/lists/*
END
  fi
  mkdir -p "$HOME/.m2"
  docker run --rm --init --network host --cap-add SYS_ADMIN \
    --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
    --volume "$PWD:$PWD" --volume "$HOME/.m2:/root/.m2" \
    --volume /var/run/docker.sock:/var/run/docker.sock \
    --workdir "$PWD" --entrypoint /bin/bash "$image" -c '
      export JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")") && exec mvn "$@"' mvn "$@"
}
