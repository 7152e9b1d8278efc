/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.internal.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Map;
import org.jnova.CorruptPoolException;
import org.jnova.NoSpaceException;
import org.jnova.NotAPoolException;
import org.jnova.PoolInUseException;
import org.jnova.PoolTruncatedException;
import org.jnova.PoolVersionException;
import org.junit.jupiter.api.Test;

/**
 * Every status has its exception, and every exception a message that names the thing and carries what the core said.
 */
class FailureMapperTest {
    private static final Map<Integer, Class<?>> OF_POOL = Map.ofEntries(
            Map.entry(Abi.EINVAL, IllegalArgumentException.class),
            Map.entry(Abi.ENOMEM, OutOfMemoryError.class),
            Map.entry(Abi.ENOSPC, NoSpaceException.class),
            Map.entry(Abi.EOS, FileSystemException.class),
            Map.entry(Abi.EEXIST, FileAlreadyExistsException.class),
            Map.entry(Abi.ENOENT, NoSuchFileException.class),
            Map.entry(Abi.EBUSY, PoolInUseException.class),
            Map.entry(Abi.ENOTPOOL, NotAPoolException.class),
            Map.entry(Abi.EVERSION, PoolVersionException.class),
            Map.entry(Abi.ETRUNCATED, PoolTruncatedException.class),
            Map.entry(Abi.ECORRUPT, CorruptPoolException.class),
            Map.entry(Abi.ESTALE, FileSystemException.class),
            Map.entry(Abi.EFBIG, FileSystemException.class),
            Map.entry(Abi.ENAME, InvalidPathException.class),
            Map.entry(Abi.EACCES, AccessDeniedException.class),
            Map.entry(Abi.EISDIR, NotAPoolException.class),
            Map.entry(Abi.ENOTDIR, NotDirectoryException.class),
            Map.entry(Abi.ELINKED, FileSystemException.class),
            Map.entry(Abi.EMLINK, FileSystemException.class));

    private static Throwable map(int status, String said, String file) {
        try {
            return FailureMapper.map(new NativeFailure(status, 5, 4096, said), "/pools/p", file);
        } catch (RuntimeException | Error e) {
            return e;
        }
    }

    @Test
    void everyStatusHasAnException() {
        for (int status = 1; status < Abi.STATUS_COUNT; status++) {
            Throwable thrown = map(status, "said by the core", null);
            assertSame(OF_POOL.get(status), thrown.getClass(), "status " + status);
            assertTrue(thrown.getMessage().contains("/pools/p"), thrown.getMessage());
            if (status != Abi.EISDIR && status != Abi.ENOTDIR) {
                assertTrue(thrown.getMessage().contains("said by the core"), thrown.getMessage());
            }
        }
    }

    @Test
    void everyExceptionHasAMessageOfItsOwn() {
        for (int status = 1; status < Abi.STATUS_COUNT; status++) {
            assertNotNull(map(status, "", null).getMessage());
            String message = map(status, "", "the file").getMessage();
            assertTrue(message.contains("the file") || message.contains("/pools/p"), message);
        }
    }

    @Test
    void statusesAboutAFileNameIt() {
        assertEquals("the file", ((NoSpaceException) map(Abi.ENOSPC, "full", "the file")).getFile());
        assertSame(FileSystemException.class, map(Abi.EISDIR, "", "the file").getClass());
        assertSame(FileSystemException.class, map(Abi.EBUSY, "", "the file").getClass());
        CorruptPoolException corrupt = (CorruptPoolException) map(Abi.ECORRUPT, "bad", "the file");
        assertEquals("/pools/p", corrupt.getFile());
        assertEquals(4096, corrupt.poolOffset());
        assertTrue(corrupt.getMessage().contains("the file"));
    }

    @Test
    void damageWithoutAPlaceHasNoOffset() {
        CorruptPoolException corrupt = (CorruptPoolException)
                FailureMapper.map(new NativeFailure(Abi.ECORRUPT, 0, Abi.NO_OFF, ""), "/pools/p", null);
        assertEquals(CorruptPoolException.NO_OFFSET, corrupt.poolOffset());
    }

    @Test
    void unknownStatusIsSaidToBe() {
        assertTrue(map(77, "", null).getMessage().contains("unknown status 77"));
        assertTrue(map(-1, "", "f").getMessage().contains("unknown status -1"));
    }

    @Test
    void osErrorCarriesErrno() {
        assertTrue(map(Abi.EOS, "mmap", null).getMessage().contains("errno 5"));
    }
}
