/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jnova.CheckReport;
import org.jnova.CheckReport.Finding;
import org.jnova.CheckReport.Severity;

/** Inspection of pools that are not open: the checks and dumps of the core, as text turned into objects. */
public final class PoolTools {
    private static final int FIRST_CAP = 1 << 16;

    private PoolTools() {}

    /** Checks a pool. */
    public static CheckReport check(Path pool) throws IOException {
        return check(pool, (path, report, cap, needed, sum, err) -> NovaNative.nova_fsck(
                path, report, cap, needed, sum, err));
    }

    /** Checks a pool and repairs what can be. The library changes nothing while the report does not fit. */
    public static CheckReport repair(Path pool) throws IOException {
        return check(pool, (path, report, cap, needed, sum, err) -> NovaNative.nova_fsck_repair(
                path, 0, report, cap, needed, sum, err));
    }

    @FunctionalInterface
    private interface Checker {
        int check(long path, long report, long cap, long needed, long sum, long err);
    }

    private static CheckReport check(Path pool, Checker checker) throws IOException {
        NativeMemory path = NativePool.pathMemory(pool);
        NativeMemory sum = NativeMemory.allocate(Abi.FSCK_SIZE);
        try {
            String text = report(pool, null, (report, cap, needed, err) -> checker.check(
                    path.address(), report, cap, needed, sum.address(), err));
            return checkReport(pool, sum.bytes(), text);
        } finally {
            Reference.reachabilityFence(path);
            Reference.reachabilityFence(sum);
        }
    }

    /** Describes an inode's log, by its path in the pool, or the root directory's if that is null. */
    public static String dump(Path pool, byte[] name, String label) throws IOException {
        NativeMemory path = NativePool.pathMemory(pool);
        NativeMemory cName = NativeMemory.allocate(name == null ? 1 : name.length + 1);
        if (name != null) {
            cName.bytes().put(0, name);
        }
        try {
            return report(pool, label, (report, cap, needed, err) -> NovaNative.nova_dump(
                    path.address(), name == null ? 0 : cName.address(), report, cap, needed, err));
        } finally {
            Reference.reachabilityFence(path);
            Reference.reachabilityFence(cName);
        }
    }

    /** What the native library says of sizes, offsets and constants. */
    static String abi() {
        int length = (int) NovaNative.nova_abi(NativeMemory.allocate(1).address(), 0);
        NativeMemory text = NativeMemory.allocate(length + 1);
        NovaNative.nova_abi(text.address(), length + 1);
        return NativeMemory.text(text.bytes(), 0, length);
    }

    @FunctionalInterface
    private interface Reporter {
        int report(long report, long cap, long needed, long err);
    }

    /** Calls with more and more room until the report fits. */
    private static String report(Path pool, String label, Reporter reporter) throws IOException {
        Scratch scratch = Scratch.take();
        try {
            for (int cap = FIRST_CAP; ; ) {
                NativeMemory text = NativeMemory.allocate(cap);
                int status = reporter.report(
                        text.address(), cap, scratch.io.cellAddress(), scratch.io.errorAddress());
                if (status != Abi.OK) {
                    throw FailureMapper.map(
                            scratch.failure(status),
                            pool.toString(),
                            status == Abi.ENOENT || status == Abi.ENOTDIR ? label : null);
                }
                long needed = scratch.io.cell();
                if (needed < cap) {
                    return NativeMemory.text(text.bytes(), 0, (int) needed);
                }
                if (needed >= Integer.MAX_VALUE - 8) {
                    throw new IOException(pool + ": the report is longer than 2 GiB");
                }
                cap = (int) needed + 1;
            }
        } finally {
            scratch.put();
        }
    }

    private static CheckReport checkReport(Path pool, ByteBuffer sum, String text) {
        List<Finding> findings = new ArrayList<>();
        for (String line : text.split("\n")) {
            if (!line.isBlank()) {
                findings.add(finding(line));
            }
        }
        return new CheckReport(
                pool,
                sum.getInt(Abi.FSCK_CLEAN) != 0,
                sum.getLong(Abi.FSCK_ERRORS),
                sum.getLong(Abi.FSCK_WARNINGS),
                sum.getLong(Abi.FSCK_REPAIRED),
                sum.getLong(Abi.FSCK_INODES),
                sum.getLong(Abi.FSCK_ENTRIES),
                sum.getLong(Abi.FSCK_BLOCKS_USED),
                sum.getLong(Abi.FSCK_BLOCKS_FREE),
                sum.getLong(Abi.FSCK_BLOCKS_TOTAL),
                sum.getLong(Abi.FSCK_BYTES),
                findings);
    }

    /** "error|warning|repaired TAB structure TAB byte offset or - TAB what". */
    static Finding finding(String line) {
        String[] part = line.split("\t", 4);
        if (part.length != 4) {
            return new Finding(Severity.WARNING, "report", OptionalLong.empty(), line);
        }
        Severity severity =
                switch (part[0]) {
                    case "error" -> Severity.ERROR;
                    case "repaired" -> Severity.REPAIRED;
                    default -> Severity.WARNING;
                };
        return new Finding(severity, part[1], offset(part[2]), part[3]);
    }

    private static OptionalLong offset(String text) {
        try {
            return OptionalLong.of(Long.decode(text));
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }
}
