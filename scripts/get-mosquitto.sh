#!/usr/bin/env bash
# Makes an MQTT broker and its two clients reachable as .venv/bin/mosquitto, mosquitto_sub, mosquitto_pub.
#
# Taken from the machine when it has them; else Debian's packages are unpacked into .venv/mosquitto.
# Nothing is installed, no service is started, no root is needed. Without a broker it says so, leaves the
# file .venv/mosquitto.absent and ends well: whatever needs no MQTT still works.
#
#   scripts/get-mosquitto.sh            cheap when there is nothing to do
#   scripts/get-mosquitto.sh --retry    also tries the packages again after an earlier failure
set -euo pipefail

TOOLS=(mosquitto mosquitto_sub mosquitto_pub)
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=${LEAKLOC_VENV:-$checkout/.venv}
store=$venv/mosquitto
absent=$venv/mosquitto.absent
work=""
broker=""

say() { printf '  mosquitto: %s\n' "$*"; }

# "-h" ends with various codes, but a missing library or a foreign binary is always 126 or 127.
loads() {
  local code=0
  [[ -x $1 ]] || return 1
  "$1" -h >/dev/null 2>&1 </dev/null || code=$?
  ((code < 126))
}

all_load() {  # all_load DIRECTORY
  local tool
  for tool in "${TOOLS[@]}"; do loads "$1/$tool" || return 1; done
}

point_at() {  # point_at TOOL TARGET: replaces .venv/bin/TOOL in one step
  ln -sfn "$2" "$venv/bin/.$1.new"
  mv -fT "$venv/bin/.$1.new" "$venv/bin/$1"
}

use_installed() {
  local tool path outside found=()
  outside=$(printf '%s' "$PATH" | tr ':' '\n' | grep -vxF "$venv/bin" | paste -sd: || true)
  for tool in "${TOOLS[@]}"; do
    path=$(PATH="$outside:/usr/local/sbin:/usr/sbin:/usr/bin" type -P "$tool") || return 1
    path=$(readlink -f "$path")
    [[ $path != "$venv"/* ]] && loads "$path" || return 1
    found+=("$path")
  done
  for tool in "${!TOOLS[@]}"; do point_at "${TOOLS[tool]}" "${found[tool]}"; done
  if [[ -e /etc/apparmor.d/usr.sbin.mosquitto ]]; then  # bound to its path, it may read no configuration of ours
    cp "${found[0]}" "$venv/bin/.mosquitto.new" && mv -fT "$venv/bin/.mosquitto.new" "$venv/bin/mosquitto"
  fi
  rm -f "$absent" "$venv/mosquitto.log"
  say "using the installed ${found[0]}"
}

use_store() {
  local tool
  all_load "$store/bin" || return 1
  for tool in "${TOOLS[@]}"; do point_at "$tool" "../mosquitto/bin/$tool"; done
  rm -f "$absent" "$venv/mosquitto.log"
}

APT=(-qq -o APT::Sandbox::User=root -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20)

have_lists() { [[ -n $(apt-cache show --no-all-versions mosquitto 2>/dev/null) ]]; }

# The machine's own package lists when we may write them, else private ones: apt accepts both.
update_lists() {
  say "fetching the lists of packages"
  if ((EUID == 0)) && timeout 180 apt-get "${APT[@]}" update >>"$work/log" 2>&1 </dev/null; then return 0; fi
  mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
  export APT_CONFIG=$work/apt/conf
  printf 'Dir::State::lists "%s";\nDir::Cache "%s";\n' "$work/apt/lists" "$work/apt/cache" >"$APT_CONFIG"
  timeout 180 apt-get "${APT[@]}" update >>"$work/log" 2>&1 </dev/null
}

is_installed() { [[ $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) == *" installed" ]]; }

# The libraries that this machine lacks: as apt would resolve them or, where its state is broken, all
# libraries that can be reached and are not installed. The C library is never taken: it must match ld.so.
missing_libraries() {
  local plan package
  if plan=$(apt-get -s --no-install-recommends install mosquitto mosquitto-clients 2>>"$work/log"); then
    awk '$1 == "Inst" && $2 ~ /^lib/ && $2 !~ /^libc6|^libc-/ {print $2}' <<<"$plan"
    return
  fi
  apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
    --no-enhances mosquitto mosquitto-clients | grep -E '^lib' | grep -vE '^libc6|^libc-|^libpam|^libperl' |
    sort -u | while read -r package; do is_installed "$package" || printf '%s\n' "$package"; done
}

fetch() {
  local packages
  mapfile -t packages < <(missing_libraries)
  packages+=(mosquitto mosquitto-clients)
  say "fetching ${packages[*]}"
  (cd "$work/debs" && rm -f -- *.deb &&
    timeout 300 apt-get "${APT[@]}" download "${packages[@]}" >>"$work/log" 2>&1 </dev/null)
}

write_wrapper() {  # write_wrapper TOOL PATH-INSIDE: finds itself, so the checkout may move
  cat >"$work/tree/bin/$1" <<WRAPPER
#!/bin/sh
tree=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
libraries=
for folder in "\$tree"/usr/lib/*-linux-* "\$tree"/lib/*-linux-*; do
  [ -d "\$folder" ] && libraries=\$libraries\$folder:
done
LD_LIBRARY_PATH=\${libraries%:}\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH} exec "\$tree/$2" "\$@"
WRAPPER
  chmod 755 "$work/tree/bin/$1"
}

unpack() {
  local deb
  mkdir -p "$work/tree/bin" || return 1
  for deb in "$work"/debs/*.deb; do dpkg -x "$deb" "$work/tree" >>"$work/log" 2>&1 || return 1; done
  rm -rf "$work/tree/usr/share" "$work/tree/etc" "$work/tree/var" "$work/tree/lib/systemd" "$work/tree/usr/lib/systemd"
  write_wrapper mosquitto usr/sbin/mosquitto
  write_wrapper mosquitto_sub usr/bin/mosquitto_sub
  write_wrapper mosquitto_pub usr/bin/mosquitto_pub
}

# A broker that loads may still not start: sends one retained message through it, on a loopback port.
serves() {
  local port attempt heard=""
  for attempt in 1 2 3; do
    port=$((20000 + RANDOM % 12000))
    timeout 30 "$1/mosquitto" -p "$port" >>"$work/log" 2>&1 </dev/null 9>&- &
    broker=$!
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
      kill -0 "$broker" 2>/dev/null || break
      sleep 0.2
      timeout 5 "$1/mosquitto_pub" -h 127.0.0.1 -p "$port" -q 1 -r -t probe -m "try $attempt" 2>>"$work/log" || continue
      heard=$(timeout 5 "$1/mosquitto_sub" -h 127.0.0.1 -p "$port" -t probe -C 1 -W 3 2>>"$work/log") || true
      break
    done
    kill "$broker" 2>/dev/null || true
    wait "$broker" 2>/dev/null || true
    broker=""
    [[ $heard == "try $attempt" ]] && return 0
  done
  return 1
}

why=""
build_store() {
  if ! type -P apt-get dpkg >/dev/null; then why="this system has no apt"; return 1; fi
  mkdir -p "$work/debs"
  : >"$work/log"
  have_lists || update_lists || true
  if ! have_lists; then why="apt knows no package of that name (no network?)"; return 1; fi
  if ! fetch; then  # lists older than the archive name files that are gone
    update_lists || true
    if ! fetch; then why="its packages could not be downloaded"; return 1; fi
  fi
  if ! unpack; then why="its packages could not be unpacked"; return 1; fi
  if ! serves "$work/tree/bin"; then why="the unpacked broker does not start"; return 1; fi
  rm -rf "$store" && mv -T "$work/tree" "$store"
}

leave() {
  [[ -z $broker ]] || kill "$broker" 2>/dev/null || true
  [[ -z $work ]] || rm -rf "$work"
}

main() {
  local tool
  if all_load "$venv/bin"; then return; fi
  if [[ -e $absent && ${1:-} != --retry ]] && ! use_installed; then
    say "none here: MQTT stays off ('make setup' tries again)"
    return
  fi
  all_load "$venv/bin" && return
  mkdir -p "$venv/bin"
  exec 9>"$venv/.mosquitto.lock"
  flock -w 600 9 || { say "another set-up is still busy with $venv/mosquitto"; exit 1; }
  if use_store || use_installed; then return; fi

  trap leave EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  rm -rf "$venv"/.mosquitto-work.*
  work=$(mktemp -d "$venv/.mosquitto-work.XXXXXX")
  if build_store && use_store; then
    say "unpacked into $store"
    return
  fi
  for tool in "${TOOLS[@]}"; do rm -f "$venv/bin/$tool"; done
  [[ ! -s $work/log ]] || cp "$work/log" "$venv/mosquitto.log"
  printf '%s\n' "${why:-unknown}" >"$absent"
  say "no broker could be had: ${why:-unknown}."
  say "the demo runs with its MQTT part off; 'sudo apt install mosquitto mosquitto-clients' mends that."
}

main "$@"
