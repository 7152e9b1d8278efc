/* SPDX-License-Identifier: Apache-2.0 */

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Serves page faults of userfaultfd(2) on a thread of Java, as JNova does not: with "gc" as its argument it hangs for
 * good. A thread that waits for its page is "in Java" and reaches no safepoint; the collector waits for it; the handler
 * comes back from read(2) and waits for the collector. Without garbage collection it ends, and says "done"; where the
 * system call is refused, "refused".
 *
 * <p>Run by HandlerOnJavaThreadTest, from its source, by a JDK of 22 or newer.
 */
public class HandlerOnJavaThread {
    private static final long PAGE = 4096;
    private static final long PAGES = 4000;
    private static final long SYS_USERFAULTFD =
            System.getProperty("os.arch").equals("aarch64") ? 282 : 323;
    private static final long UFFDIO_API = 0xC018AA3FL;
    private static final long UFFDIO_REGISTER = 0xC020AA00L;
    private static final long UFFDIO_ZEROPAGE = 0xC020AA04L;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle SYSCALL = function("syscall", 1, 2);
    private static final MethodHandle IOCTL = function("ioctl", 2, 3);
    private static final MethodHandle READ = function("read", -1, 3);
    private static final MethodHandle MMAP = function("mmap", -1, 6);

    private static MethodHandle function(String name, int fixed, int arguments) {
        ValueLayout[] types = new ValueLayout[arguments];
        java.util.Arrays.fill(types, ValueLayout.JAVA_LONG);
        MemorySegment address = LINKER.defaultLookup().find(name).orElseThrow();
        FunctionDescriptor type = FunctionDescriptor.of(ValueLayout.JAVA_LONG, types);
        return fixed < 0
                ? LINKER.downcallHandle(address, type)
                : LINKER.downcallHandle(address, type, Linker.Option.firstVariadicArg(fixed));
    }

    public static void main(String[] args) throws Throwable {
        Arena arena = Arena.global();
        long uffd = (long) SYSCALL.invokeExact(SYS_USERFAULTFD, 1L); // user mode only: that needs no privilege
        MemorySegment api = arena.allocate(24, 8);
        api.set(ValueLayout.JAVA_LONG, 0, 0xAAL);
        if ((int) uffd < 0 || (int) (long) IOCTL.invokeExact(uffd, UFFDIO_API, api.address()) != 0) {
            System.out.println("refused");
            return;
        }
        // PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS
        long base = (long) MMAP.invokeExact(0L, PAGES * PAGE, 3L, 0x22L, -1L, 0L);
        MemorySegment register = arena.allocate(32, 8);
        register.set(ValueLayout.JAVA_LONG, 0, base);
        register.set(ValueLayout.JAVA_LONG, 8, PAGES * PAGE);
        register.set(ValueLayout.JAVA_LONG, 16, 1L); // missing pages
        if ((int) (long) IOCTL.invokeExact(uffd, UFFDIO_REGISTER, register.address()) != 0) {
            System.out.println("refused");
            return;
        }
        start(() -> serve(uffd));
        if (args.length > 0 && args[0].equals("gc")) {
            start(HandlerOnJavaThread::collectGarbage);
        }
        System.out.println("started");
        MemorySegment memory = MemorySegment.ofAddress(base).reinterpret(PAGES * PAGE);
        for (long page = 0; page < PAGES; page++) {
            memory.set(ValueLayout.JAVA_BYTE, page * PAGE, (byte) 1);
        }
        System.out.println("done");
    }

    private static void start(Runnable body) {
        Thread thread = new Thread(body);
        thread.setDaemon(true);
        thread.start();
    }

    private static void collectGarbage() {
        while (true) {
            System.gc();
        }
    }

    private static void serve(long uffd) {
        MemorySegment message = Arena.global().allocate(32, 8);
        MemorySegment zeros = Arena.global().allocate(32, 8);
        try {
            while ((long) READ.invokeExact(uffd, message.address(), 32L) == 32) {
                zeros.set(ValueLayout.JAVA_LONG, 0, message.get(ValueLayout.JAVA_LONG, 16) & -PAGE);
                zeros.set(ValueLayout.JAVA_LONG, 8, PAGE);
                zeros.set(ValueLayout.JAVA_LONG, 16, 0);
                long ignored = (long) IOCTL.invokeExact(uffd, UFFDIO_ZEROPAGE, zeros.address());
            }
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
