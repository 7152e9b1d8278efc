/* SPDX-License-Identifier: Apache-2.0 */
package org.jnova.bench;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The report as an SVG picture: for the workloads that all have, a panel each, with the latency of single calls from the
 * median to the 99.9th percentile, on a logarithmic axis. Written by hand, since a library that draws through AWT needs
 * fonts, which a headless JDK may lack.
 */
final class Plot {
    private static final List<String> PANELS = List.of("overwrite4k", "append128", "read4k");
    private static final List<String> COLOURS = List.of(
            "#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
            "#ff7f0e", "#005f73", "#6a040f", "#000000", "#588157", "#b5179e", "#3a0ca3");
    private static final int WIDTH = 860;
    private static final int HEIGHT = 360;
    private static final int LEFT = 70;
    private static final int TOP = 50;
    private static final int PLOT_WIDTH = 430;
    private static final int PLOT_HEIGHT = 260;
    private static final int LEGEND = 18;
    private static final int LABEL_GAP = 18;
    private static final int TEXT_DROP = 4;

    private final StringBuilder out = new StringBuilder();

    private Plot() {}

    static String of(Map<String, String> head, List<Figures> rows) {
        Plot plot = new Plot();
        int panels = 0;
        for (String workload : PANELS) {
            List<Figures> shown = rows.stream()
                    .filter(row -> row.workload().equals(workload)
                            && row.threadCount() == 1
                            && row.fileSystem().equals(rows.get(0).fileSystem())
                            && row.size() == rows.get(0).size()
                            && row.percentiles()[0] > 0)
                    .toList();
            if (!shown.isEmpty()) {
                plot.panel(panels++ * HEIGHT, workload, shown);
            }
        }
        return String.format(
                        Locale.ROOT,
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\""
                                + " font-size=\"12\">%n<title>%s</title>%n<rect width=\"100%%\" height=\"100%%\""
                                + " fill=\"white\"/>%n",
                        WIDTH,
                        panels * HEIGHT,
                        escape(String.join("; ", head.values())))
                + plot.out
                + "</svg>\n";
    }

    private void panel(int y, String workload, List<Figures> rows) {
        double low = Double.MAX_VALUE;
        double high = 0;
        for (Figures row : rows) {
            low = Math.min(low, row.percentiles()[0]);
            high = Math.max(high, row.percentiles()[Figures.P999]);
        }
        int from = (int) Math.floor(Math.log10(low));
        int to = Math.max(from + 1, (int) Math.ceil(Math.log10(high)));
        Figures first = rows.get(0);
        text(LEFT, y + TOP - LABEL_GAP, "start", workload + ", ns per call, on " + first.fileSystem() + ", "
                + Row.sizeLabel(first.size()));
        for (int decade = from; decade <= to; decade++) {
            double at = y + TOP + PLOT_HEIGHT * (1 - (double) (decade - from) / (to - from));
            line(LEFT, at, LEFT + PLOT_WIDTH, at, "#ccc");
            text(LEFT - TEXT_DROP, at + TEXT_DROP, "end", String.format(Locale.ROOT, "%,d", (long) Math.pow(10, decade)));
        }
        for (int i = 0; i < Figures.PERCENTS.length; i++) {
            String percent = Figures.PERCENTS[i] == 50 ? "median" : "p" + String.valueOf(Figures.PERCENTS[i]).replace(".0", "");
            text(x(i), y + TOP + PLOT_HEIGHT + LABEL_GAP, "middle", percent);
        }
        for (int r = 0; r < rows.size(); r++) {
            Figures row = rows.get(r);
            String colour = COLOURS.get(r % COLOURS.size());
            StringBuilder points = new StringBuilder();
            for (int i = 0; i < Figures.PERCENTS.length; i++) {
                double share = (Math.log10(row.percentiles()[i]) - from) / (to - from);
                points.append(String.format(Locale.ROOT, "%.1f,%.1f ", x(i), y + TOP + PLOT_HEIGHT * (1 - share)));
            }
            out.append(String.format(
                    Locale.ROOT,
                    "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>%n",
                    points.toString().trim(),
                    colour));
            double at = y + TOP + r * LEGEND;
            line(LEFT + PLOT_WIDTH + LEGEND, at, LEFT + PLOT_WIDTH + 2 * LEGEND, at, colour);
            text(LEFT + PLOT_WIDTH + 2 * LEGEND + TEXT_DROP, at + TEXT_DROP, "start", row.system() + ": "
                    + row.durability());
        }
    }

    private static double x(int percentile) {
        return LEFT + PLOT_WIDTH * (0.1 + 0.8 * percentile / (Figures.PERCENTS.length - 1));
    }

    private void line(double x1, double y1, double x2, double y2, String colour) {
        out.append(String.format(
                Locale.ROOT,
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>%n",
                x1,
                y1,
                x2,
                y2,
                colour));
    }

    private void text(double x, double y, String anchor, String words) {
        out.append(String.format(
                Locale.ROOT, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n", x, y, anchor, escape(words)));
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
