#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# prepare.sh DIR: makes DIR/vmlinuz and DIR/initramfs for guest.sh, from Debian's kernel package, busybox and guest-init.
# Does nothing if they are there and newer than their sources.
#
# Missing packages are installed by root; another user is told their names. The kernel is only unpacked: modules of the file
# systems, buses and checksums that guest-init loads go into the initramfs, everything else comes from the host's root.
set -euo pipefail
dir=${1:?directory}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
modules=(nfit nd_pmem crc32c_generic ext4 virtio_pci 9pnet_virtio 9p overlay)

die() { printf 'power: %s\n' "$*" >&2; exit 1; }

# Command and package that has it.
packages() {
  local command package
  while read -r command package; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$command" >/dev/null || echo "$package"
  done <<'LIST'
qemu-system-x86_64 qemu-system-x86
busybox busybox-static
modprobe kmod
cpio cpio
ndctl ndctl
mkfs.ext4 e2fsprogs
setpriv util-linux
LIST
}

install_packages() {
  local missing
  missing=$(packages | tr '\n' ' ')
  [[ -n ${missing// /} ]] || return 0
  command -v apt-get >/dev/null || die "missing, by their Debian names: ${missing% }"
  ((EUID == 0)) || die "packages are missing; install them and start again: sudo apt-get install ${missing% }"
  # shellcheck disable=SC2086
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } \
    </dev/null >"$dir/install.log" 2>&1 || { tail -n 20 "$dir/install.log" >&2; die "cannot install ${missing% }"; }
}

# kernel ROOT: unpacks the newest kernel package of the distribution there.
kernel() {
  local name
  name=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
  [[ -n $name ]] || die "no package linux-image-amd64; is this Debian, and was apt-get update run?"
  (cd "$1" && apt-get download "$name" >"$dir/install.log" 2>&1) ||
    { (apt-get update && cd "$1" && apt-get download "$name") >"$dir/install.log" 2>&1; } ||
    { tail -n 20 "$dir/install.log" >&2; die "cannot download $name"; }
  dpkg-deb --extract "$1"/linux-image-*.deb "$1"
}

# initramfs ROOT OUT: of the kernel unpacked in ROOT.
initramfs() {
  local root=$1 tree=$1/initramfs version module file
  version=$(basename "$root"/lib/modules/*)
  PATH=$PATH:/usr/sbin:/sbin
  depmod -b "$root" "$version"
  mkdir -p "$tree"/{bin,dev,proc,sys,host,root}
  cp "$(command -v busybox)" "$tree/bin/busybox"
  install -m 755 "$here/guest-init" "$tree/init"
  for module in "${modules[@]}"; do # -C: the rules of the host's modprobe.d hide dependencies
    modprobe -C /dev/null -d "$root" -S "$version" --show-depends "$module" || die "no kernel module $module"
  done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' >"$root/modules"
  while read -r file; do
    mkdir -p "$tree$(dirname "${file#"$root"}")"
    cp "$file" "$tree${file#"$root"}"
    printf '%s\n' "${file#"$root"}"
  done <"$root/modules" >"$tree/modules"
  (cd "$tree" && find . | cpio --quiet -o -H newc | gzip -1) >"$2"
}

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
install_packages
if [[ $dir/initramfs -nt $here/guest-init && $dir/initramfs -nt $here/prepare.sh && -s $dir/vmlinuz ]]; then exit 0; fi
work=$(mktemp -d "$dir/prepare.XXXXXX")
trap 'rm -rf "$work"' EXIT
kernel "$work"
initramfs "$work" "$work/initramfs.gz"
mv "$work"/boot/vmlinuz-* "$dir/vmlinuz"
mv "$work/initramfs.gz" "$dir/initramfs"
