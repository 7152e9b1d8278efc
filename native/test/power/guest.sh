# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# guest.sh - to be sourced: a QEMU guest with an emulated NVDIMM, one at a time. prepare.sh made its kernel;
# guest-init, in it, describes what a command finds inside. Software emulation: needs neither KVM nor root.

guest_pid=
guest_memory=2048 # MiB

# guest_boot TOOLS NVDIMM CONSOLE COMMAND [format]: starts the guest. TOOLS is prepare.sh's directory, NVDIMM the file
# that is the memory module, CONSOLE the file that receives the console, COMMAND a shell script. "format" for a new
# NVDIMM. The guest dies with this shell, however that ends.
guest_boot() {
  local tools=$1 nvdimm=$2 console=$3 command=$4 format=${5:+yes} size
  size=$(stat -L -c %s "$nvdimm")
  : >"$console"
  nice -n 5 setpriv --pdeathsig KILL qemu-system-x86_64 \
    -machine q35,nvdimm=on -accel tcg,thread=multi -cpu max -smp 2 \
    -m "$guest_memory,slots=2,maxmem=$((guest_memory + 2048))M" \
    -object "memory-backend-file,id=nv,share=on,mem-path=${nvdimm//,/,,},size=$size" -device nvdimm,memdev=nv \
    -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
    -kernel "$tools/vmlinuz" -initrd "$tools/initramfs" \
    -append "console=ttyS0 loglevel=1 panic=-1 no_timer_check NOVA_COMMAND=\"$command\" NOVA_FORMAT=$format" \
    -chardev "file,id=console,path=${console//,/,,}" -serial chardev:console \
    -display none -monitor none -nic none -vga none -no-reboot >"$console.qemu" 2>&1 </dev/null &
  guest_pid=$!
}

guest_is_running() { [[ -n $guest_pid ]] && kill -0 "$guest_pid" 2>/dev/null; }

# guest_expect CONSOLE PATTERN SECONDS [INTERVAL]: waits for a line, looking every INTERVAL seconds. 1: the guest
# ended without it, 2: it did not come in time.
guest_expect() {
  local end=$((SECONDS + $3)) running
  while :; do
    running=0
    guest_is_running || running=1
    if grep -q -- "$2" "$1"; then return 0; fi
    ((running == 0)) || return 1
    ((SECONDS < end)) || return 2
    sleep "${4:-0.02}"
  done
}

# guest_kill: cuts its power, now.
guest_kill() {
  [[ -n $guest_pid ]] || return 0
  kill -KILL "$guest_pid" 2>/dev/null || true
  wait "$guest_pid" 2>/dev/null || true
  guest_pid=
}

# guest_wait CONSOLE SECONDS: waits until the guest ends by itself. The command's status; 125 if the guest failed, 124
# if it was not done in time and had to be killed.
guest_wait() {
  local status=0
  guest_expect "$1" '^guest: exit ' "$2" 0.25 || status=$?
  case $status in
    0) status=$(sed -n 's/^guest: exit //p' "$1" | tail -n 1) ;;
    1) status=125 ;;
    2) status=124 ;;
  esac
  guest_kill
  return "$status"
}
