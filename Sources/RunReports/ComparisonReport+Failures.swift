import Diagnostics
import Training

// Rows, seeds and settings that could not be trained.

extension ComparisonReport {
    /// Stands behind a row's name where seeds of it are missing.
    func failureMark(_ row: String, _ noise: Int) -> String {
        let own = record.failures.filter { $0.row == row && $0.noise == noise }
        let (cells, settings) = (own.count { $0.isCell }, own.count { !$0.isCell })
        if cells == record.seeds.count { return " (failed)" }
        if cells > 0 { return " (\(cells) of \(record.seeds.count) seeds failed)" }
        return settings == 0 ? "" : " (\(settings) setting\(settings == 1 ? "" : "s") failed)"
    }

    /// One sentence for each cell and each setting that failed.
    var failureSentences: [String] {
        record.failures.map { failure in
            "Failed: \(name(failure)): \(failure.reason)."
        }
    }

    private func name(_ failure: Comparison.Failure) -> String {
        var name = failure.row
        if record.noises.count > 1 { name += " | \(noiseName(failure.noise))" }
        name += ", seed \(failure.seed)"
        if !failure.setting.isEmpty { name += ", setting \(failure.setting)" }
        return name
    }

    /// - Throws: if a cell or a setting failed, after everything else was trained and written.
    package func complainOfFailures(folder: String) throws(Problem) {
        guard !record.failures.isEmpty else { return }
        // A cell that failed is the sum of its settings.
        let cells = record.failures.filter(\.isCell)
        let settings = record.failures.filter { failure in
            !failure.isCell
                && !cells.contains {
                    ($0.row, $0.noise, $0.seed) == (failure.row, failure.noise, failure.seed)
                }
        }
        let count = record.rows.count * record.noises.count * record.seeds.count
        throw .cellsFailed(
            folder, (cells + settings).map { "\(name($0)), \($0.reason)" }, cells: cells.count,
            of: count, settings: settings.count)
    }
}

extension Problem {
    /// - Parameters:
    ///   - failures: what failed and why, cells first.
    ///   - settings: how many settings failed in searches that had others.
    static func cellsFailed(
        _ folder: String, _ failures: [String], cells: Int, of count: Int, settings: Int
    ) -> Problem {
        let shown = failures.prefix(4).map { oneLine($0, limit: 180) }
        let more = failures.count > shown.count ? "; and \(failures.count - shown.count) more" : ""
        let found =
            (cells > 0 ? ["\(cells) of \(count) cells"] : [])
            + (settings > 0 ? ["\(settings) setting\(settings == 1 ? "" : "s") of a search"] : [])
        return Problem(
            .data,
            "\(found.joined(separator: " and ")) failed: \(shown.joined(separator: "; "))\(more)",
            at: .file(folder),
            hint:
                "the others are trained; change these and run it again, which trains only what is "
                + "missing")
    }
}
