/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The {@code jnova} command: parses, runs one of the commands beside this class, turns failures into one line and an
 * exit code.
 */
@Command(
        name = "jnova",
        scope = ScopeType.INHERIT,
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = "JNova keeps files in a pool: one file on persistent memory, on tmpfs, or on a disk.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            MkfsCommand.class,
            InfoCommand.class,
            TopCommand.class,
            ResizeCommand.class,
            LsCommand.class,
            PutCommand.class,
            GetCommand.class,
            CatCommand.class,
            RmCommand.class,
            MkdirCommand.class,
            LnCommand.class,
            MvCommand.class,
            StatCommand.class,
            ChmodCommand.class,
            XattrCommand.class,
            TruncateCommand.class,
            FallocateCommand.class,
            PunchCommand.class,
            DefragCommand.class,
            FindCommand.class,
            DuCommand.class,
            ImportCommand.class,
            ExportCommand.class,
            FsckCommand.class,
            DumpCommand.class,
            DemoCommand.class,
            CommandLine.HelpCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done, and every check held",
            "1:the command or a check failed; the reason is on standard error",
            "2:the command line is wrong"
        },
        footerHeading = "%nExample:%n",
        footer = {
            "  jnova mkfs /dev/shm/pool --size 1G",
            "  jnova put  /dev/shm/pool notes.txt",
            "  jnova ls   /dev/shm/pool -l",
            "'jnova COMMAND --help' explains a command."
        })
public final class Main implements Callable<Integer> {
    static final int OK = 0;
    static final int FAILED = 1;
    static final int USAGE = 2;

    private final Streams streams;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Print the stack trace of a failure as well.")
    private boolean debug;

    Main(Streams streams) {
        this.streams = streams;
    }

    /**
     * Runs a command and ends the process with its exit code.
     *
     * @param args the command line
     */
    public static void main(String[] args) {
        System.exit(run(Streams.ofProcess(), args));
    }

    /** Runs a command in this process. Returns its exit code. */
    static int run(Streams streams, String... args) {
        Main main = new Main(streams);
        CommandLine commandLine = new CommandLine(main)
                .setOut(new PrintWriter(streams.out(), true))
                .setErr(new PrintWriter(streams.err(), true))
                .setParameterExceptionHandler(main::usageError)
                .setExecutionExceptionHandler((failure, command, parsed) -> main.failed(command, failure));
        int code;
        try {
            code = commandLine.execute(args);
        } catch (LinkageError | OutOfMemoryError e) {
            code = main.failed(commandLine, e);
        }
        if (streams.out().checkError() && code == OK) {
            streams.err().println("jnova: " + Streams.OUT_FAILED);
            return FAILED;
        }
        return code;
    }

    Streams streams() {
        return streams;
    }

    @Override
    public Integer call() {
        spec.commandLine().usage(streams.err());
        return USAGE;
    }

    private int failed(CommandLine command, Throwable failure) {
        streams.out().flush();
        streams.err().println(command.getCommandSpec().qualifiedName() + ": " + ErrorText.of(failure));
        if (debug) {
            failure.printStackTrace(streams.err());
        }
        return FAILED;
    }

    private int usageError(ParameterException error, String[] args) {
        CommandLine command = error.getCommandLine();
        String name = command.getCommandSpec().qualifiedName();
        streams.err().println(name + ": " + error.getMessage());
        UnmatchedArgumentException.printSuggestions(error, command.getErr());
        streams.err().println("'" + name + " --help' explains it.");
        return USAGE;
    }

    /** The version of the jar; absent while running from class files. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"jnova " + (version == null ? "(unpackaged)" : version)};
        }
    }
}
