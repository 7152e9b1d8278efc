#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# prepare.sh DIR: makes DIR/vmlinuz and DIR/initramfs for guest.sh, from Debian's packages of the kernel and of
# busybox, and from guest-init. Does nothing if they are there and newer than their sources.
# prepare.sh --missing: names the packages that are still to be installed, for this and for the guest to run.
#
# Root installs them by calling the first; another user is told their names. The kernel and busybox are only unpacked:
# modules of the file systems, buses and checksums that guest-init loads go into the initramfs, everything else comes
# from the host's root.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
modules=(nfit nd_pmem crc32c_generic ext4 virtio_pci 9pnet_virtio 9p overlay)
PATH=$PATH:/usr/sbin:/sbin

die() { printf 'power: %s\n' "$*" >&2; exit 1; }

# missing: of each command that is not there, the package that has it.
missing() {
  local command package
  while read -r command package; do
    command -v "$command" >/dev/null || echo "$package"
  done <<'LIST'
qemu-system-x86_64 qemu-system-x86
modprobe kmod
cpio cpio
ndctl ndctl
mkfs.ext4 e2fsprogs
setpriv util-linux
LIST
}

# logged WHAT COMMAND...: ends with WHAT, and the end of the command's output, if it fails.
logged() {
  "${@:2}" >"$dir/prepare.log" 2>&1 </dev/null || { tail -n 20 "$dir/prepare.log" >&2; die "$1"; }
}

install_packages() {
  local packages
  packages=$(missing | tr '\n' ' ')
  packages=${packages% }
  [[ -n $packages ]] || return 0
  command -v apt-get >/dev/null || die "missing, by their Debian names: $packages"
  ((EUID == 0)) || die "packages are missing; install them and start again: sudo apt-get install $packages"
  logged "cannot install $packages" env DEBIAN_FRONTEND=noninteractive \
    sh -c "apt-get update && apt-get install -y --no-install-recommends $packages"
}

# download DIR: the newest kernel, and a busybox that needs no library.
download() {
  local kernel
  kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
  if [[ -z $kernel ]]; then
    echo "No package linux-image-amd64. Is this Debian, and was apt-get update run?"
    return 1
  fi
  (cd "$1" && apt-get download "$kernel" busybox-static)
}

# The lists of packages may be old, or not there; root can change that.
download_latest() { download "$1" || { ((EUID == 0)) && apt-get update && download "$1"; }; }

# initramfs ROOT TREE: lays it out in TREE, of what is unpacked in ROOT.
initramfs() {
  local root=$1 tree=$2 version module file
  version=$(basename "$root"/lib/modules/*)
  depmod -b "$root" "$version"
  mkdir -p "$tree"/{bin,dev,proc,sys,host,root}
  cp "$root/bin/busybox" "$tree/bin/busybox"
  install -m 755 "$here/guest-init" "$tree/init"
  for module in "${modules[@]}"; do # -C: the rules of the host's modprobe.d hide dependencies
    modprobe -C /dev/null -d "$root" -S "$version" --show-depends "$module" || die "no kernel module $module"
  done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' >"$root/modules"
  while read -r file; do
    mkdir -p "$tree$(dirname "${file#"$root"}")"
    cp "$file" "$tree${file#"$root"}"
    printf '%s\n' "${file#"$root"}"
  done <"$root/modules" >"$tree/modules"
}

if [[ ${1:?directory, or --missing} == --missing ]]; then
  missing
  exit
fi
mkdir -p "$1"
dir=$(cd "$1" && pwd)
install_packages
if [[ $dir/initramfs -nt $here/guest-init && $dir/initramfs -nt $here/prepare.sh && -s $dir/vmlinuz ]]; then exit 0; fi
work=$(mktemp -d "$dir/prepare.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work"/{packages,root,tree}
logged "cannot download Debian's kernel and busybox" download_latest "$work/packages"
for package in "$work"/packages/*.deb; do dpkg-deb --extract "$package" "$work/root"; done
initramfs "$work/root" "$work/tree"
(cd "$work/tree" && find . | cpio --quiet -o -H newc | gzip -1) >"$work/initramfs"
mv "$work"/root/boot/vmlinuz-* "$dir/vmlinuz"
mv "$work/initramfs" "$dir/initramfs"
