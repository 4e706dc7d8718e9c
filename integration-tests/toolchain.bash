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

# Exports JAVA_HOME: a JDK 25 or newer, taken from JAVA_HOME, the PATH or the usual directories,
# or installed where Debian has it.
toolchain_java() {
  local candidate
  if toolchain_find_java; then
    return 0
  fi
  if [[ $EUID == 0 ]] && type -P apt-cache >/dev/null; then
    apt-get -q update >/dev/null 2>&1 || true
    candidate=$(apt-cache policy openjdk-25-jdk-headless 2>/dev/null | sed -n 's/^ *Candidate: //p')
    if [[ -n $candidate && $candidate != '(none)' ]]; then
      toolchain_say "installing openjdk-25-jdk-headless"
      toolchain_apt openjdk-25-jdk-headless
      toolchain_find_java && return 0
    fi
  fi
  toolchain_say "no JDK 25 found, and this distribution has no package of it; install one (for example Temurin 25) and set JAVA_HOME"
  exit 1
}

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
