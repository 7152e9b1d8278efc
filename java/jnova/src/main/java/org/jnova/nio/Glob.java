/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.nio;

import java.util.regex.PatternSyntaxException;

/** Turns a glob, as {@link java.nio.file.FileSystem#getPathMatcher} describes it, into a regular expression. */
final class Glob {
    private static final String SPECIAL_IN_REGEX = ".^$+{[]|()\\*?";
    private static final String SPECIAL_IN_GLOB = "\\*?[{";

    private final String glob;
    private final StringBuilder regex = new StringBuilder("^");
    private int at;

    private Glob(String glob) {
        this.glob = glob;
    }

    /** @throws PatternSyntaxException if it is not a glob */
    static String toRegex(String glob) {
        return new Glob(glob).translate();
    }

    private String translate() {
        boolean inGroup = false;
        while (at < glob.length()) {
            char c = glob.charAt(at++);
            switch (c) {
                case '\\' -> literal(escaped());
                case '*' -> stars();
                case '?' -> regex.append("[^/]");
                case '[' -> set();
                case '{' -> {
                    if (inGroup) {
                        throw bad("Cannot nest groups");
                    }
                    regex.append("(?:(?:");
                    inGroup = true;
                }
                case '}' -> {
                    if (inGroup) {
                        regex.append("))");
                    } else {
                        regex.append("\\}");
                    }
                    inGroup = false;
                }
                case ',' -> regex.append(inGroup ? ")|(?:" : ",");
                default -> literal(c);
            }
        }
        if (inGroup) {
            throw bad("Missing '}");
        }
        return regex.append('$').toString();
    }

    private char escaped() {
        if (at == glob.length()) {
            throw bad("No character to escape");
        }
        return glob.charAt(at++);
    }

    private void literal(char c) {
        if (SPECIAL_IN_REGEX.indexOf(c) >= 0 || SPECIAL_IN_GLOB.indexOf(c) >= 0) {
            regex.append('\\');
        }
        regex.append(c);
    }

    private void stars() {
        if (at < glob.length() && glob.charAt(at) == '*') {
            at++;
            regex.append(".*");
        } else {
            regex.append("[^/]*");
        }
    }

    /** One character out of a set, and no slash. */
    private void set() {
        regex.append("[[^/]&&[");
        if (peek() == '^') {
            regex.append("\\^");
            at++;
        } else {
            if (peek() == '!') {
                regex.append('^');
                at++;
            }
            if (peek() == '-') {
                regex.append('-');
                at++;
            }
        }
        boolean rangeMayFollow = false;
        char last = 0;
        while (true) {
            if (at == glob.length()) {
                throw bad("Missing ']");
            }
            char c = glob.charAt(at++);
            if (c == ']') {
                break;
            }
            if (c == '/') {
                throw bad("Explicit 'name separator' in class");
            }
            if (c == '\\' || c == '[' || c == '&' && peek() == '&') {
                regex.append('\\');
            }
            regex.append(c);
            if (c == '-') {
                if (!rangeMayFollow) {
                    throw bad("Invalid range");
                }
                if (peek() == 0 || peek() == ']') {
                    continue;
                }
                c = glob.charAt(at++);
                if (c < last) {
                    throw bad("Invalid range");
                }
                regex.append(c);
                rangeMayFollow = false;
            } else {
                rangeMayFollow = true;
                last = c;
            }
        }
        regex.append("]]");
    }

    /** The next character, or NUL, which no path has. */
    private char peek() {
        return at < glob.length() ? glob.charAt(at) : 0;
    }

    private PatternSyntaxException bad(String why) {
        return new PatternSyntaxException(why, glob, Math.max(0, at - 1));
    }
}
