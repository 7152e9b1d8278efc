/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jnova.CheckReport;
import org.jnova.CheckReport.Finding;
import org.jnova.PoolInspector;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "fsck",
        header = "Check a pool, or repair it",
        description = {
            "Checks every structure of a pool that is not open, and changes nothing unless --repair is given:"
                    + " checksums, logs, names, and that each block is either used once or free.",
            "Warnings are harmless: what the next opening clears, as after a crash. Errors are damage, and make the"
                    + " exit code 1. What --repair has put right is neither."
        },
        footer = {
            "  jnova fsck /dev/shm/pool",
            "  jnova fsck /dev/shm/pool --repair",
            "  jnova fsck /dev/shm/pool --json | jq .errors",
        })
final class FsckCommand extends StoreCommand {
    @Parameters(index = "0", paramLabel = "POOL", description = "The pool file.")
    private Path pool;

    @Option(
            names = "--repair",
            description = {
                "Repair what has a replica or follows from what is whole: superblock, state, saved bitmaps, bytes that"
                        + " must be zero, inodes without a name. Damage in logs, inodes and pointers that names reach"
                        + " is reported and left as it is.",
            })
    private boolean repair;

    @Option(names = "--json", description = "Print JSON: counts, and a list of findings.")
    private boolean json;

    @Override
    public Integer call() throws IOException, CommandFailure {
        CheckReport report = repair ? repair(pool, streams()) : check(pool, streams());
        if (json) {
            out().println(Json.of(json(report)));
        } else {
            print(report);
        }
        return report.ok() ? Main.OK : Main.FAILED;
    }

    static CheckReport check(Path pool, Streams streams) throws IOException, CommandFailure {
        try {
            return Progress.during("checking " + pool, streams, () -> PoolInspector.check(pool));
        } catch (NoSuchFileException e) {
            throw PoolArguments.noPool(pool, e);
        }
    }

    private static CheckReport repair(Path pool, Streams streams) throws IOException, CommandFailure {
        try {
            return Progress.during("repairing " + pool, streams, () -> PoolInspector.repair(pool));
        } catch (NoSuchFileException e) {
            throw PoolArguments.noPool(pool, e);
        }
    }

    private void print(CheckReport report) {
        for (Finding finding : report.findings()) {
            out().println(finding.severity().name().toLowerCase(Locale.ROOT) + ": " + finding.structure()
                    + (finding.poolOffset().isPresent()
                            ? " at byte " + finding.poolOffset().getAsLong()
                            : "") + ": "
                    + finding.text());
        }
        out().println(pool + ": " + summary(report));
    }

    static String summary(CheckReport report) {
        String verdict = report.errors() > 0
                ? Text.count(report.errors(), "error", "errors") + ", "
                        + Text.count(report.warnings(), "warning", "warnings")
                : report.warnings() > 0 ? "sound, " + Text.count(report.warnings(), "warning", "warnings") : "sound";
        String repaired = report.repaired() > 0 ? report.repaired() + " repaired, " : "";
        return repaired + verdict + "; " + (report.clean() ? "closed in order" : "not closed in order") + "; "
                + Text.count(report.inodes(), "inode", "inodes") + ", "
                + Text.count(report.entries(), "log entry", "log entries") + ", "
                + Text.bytes(report.bytes()) + " in files, " + report.blocksUsed() + " blocks used + "
                + report.blocksFree()
                + " free = " + report.blocksTotal();
    }

    private static Map<String, Object> json(CheckReport report) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("pool", report.pool().toString());
        map.put("ok", report.ok());
        map.put("errors", report.errors());
        map.put("warnings", report.warnings());
        map.put("repaired", report.repaired());
        map.put("closedInOrder", report.clean());
        map.put("inodes", report.inodes());
        map.put("logEntries", report.entries());
        map.put("blocksUsed", report.blocksUsed());
        map.put("blocksFree", report.blocksFree());
        map.put("blocksTotal", report.blocksTotal());
        map.put("fileBytes", report.bytes());
        map.put("findings", report.findings().stream().map(FsckCommand::json).toList());
        return map;
    }

    private static Map<String, Object> json(Finding finding) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("severity", finding.severity().name());
        map.put("structure", finding.structure());
        map.put(
                "poolOffset",
                finding.poolOffset().isPresent() ? finding.poolOffset().getAsLong() : null);
        map.put("text", finding.text());
        return map;
    }
}
