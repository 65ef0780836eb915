extension Ranking {
    /// Which row is best, by how much, and whether that is beyond chance, in one line.
    public var answer: String {
        guard let best, let first else { return "No row has a result." }
        let seeds = best.method.judged.count
        let value = Numbers.fixed(100 * Estimate(values: best.method.judged).mean, 1)
        var parts = ["Best: \(best.method.name), \(value) %"]
        guard seeds > 1 else {
            return parts[0] + ". One seed: no difference here can be told from chance."
        }
        if best.method.name == first.name {
            parts.append("the first row: nothing is above it")
        } else if let gap = best.overFirst {
            parts.append("\(Self.text(gap)) over \(first.name), \(verdict(gap))")
        }
        if let plain = strongestPlain, plain.name != first.name {
            if plain.name == best.method.name {
                parts.append("itself a plain row: no method is above plain training")
            } else if let gap = best.overPlain {
                parts.append(
                    "\(Self.text(gap)) over \(plain.name), the strongest plain row, \(verdict(gap))"
                )
            }
        }
        if let share = closedGap {
            parts.append(
                "\(Numbers.fixed(100 * share, 0)) % of the way from there to training on clean labels"
            )
        }
        return parts.joined(separator: "; ") + "."
    }

    /// How much of the way from the strongest plain row (the first one, where none is plain) to the ceiling
    /// the best row goes; nil without a ceiling above it.
    public var closedGap: Double? {
        guard let best, let ceiling, let from = strongestPlain ?? first,
            from.name != best.method.name
        else { return nil }
        let (low, high, at) = (
            Estimate(values: from.judged).mean, Estimate(values: ceiling.judged).mean,
            Estimate(values: best.method.judged).mean
        )
        let share = (at - low) / (high - low)
        return high > low && share.isFinite ? share : nil
    }

    private func verdict(_ gap: Gap) -> String {
        gap.isBeyondChance ? "beyond chance" : "within chance"
    }

    /// In points: "+5.5 [3.9, 7.1]".
    static func text(_ gap: Gap) -> String {
        let (mean, interval) = (100 * gap.difference.mean, gap.difference.interval)
        let number = { Numbers.fixed(100 * $0, 1) }
        return "\(mean > 0 ? "+" : "")\(Numbers.fixed(mean, 1)) "
            + "[\(number(interval.lowerBound)), \(number(interval.upperBound))]"
    }

    /// The ranked table of the terminal and of the page.
    ///
    /// - Parameter metric: its name, such as "test accuracy".
    public func table(metric: String) -> TableModel {
        func gap(_ gap: Gap?) -> String {
            gap.map { Self.text($0) + ($0.isBeyondChance ? " *" : "") } ?? "–"
        }
        func percent(_ values: [Double]) -> String {
            values.isEmpty ? "–" : Numbers.estimate(Estimate(values: values.map { $0 * 100 }))
        }
        let two = hasTwoReferences
        let seeds = rows.map(\.method.judged.count).max() ?? 0
        return TableModel(
            title: Self.heading(metric) + " in percent"
                + (seeds > 1 ? ", mean ± sd over \(seeds) seeds" : ", one seed"),
            columns: [
                .init(""), .init("method"), .init("selected", .trailing),
                .init("Δ to first", .trailing),
            ] + (two ? [.init("Δ to best plain", .trailing)] : [])
                + [.init("last", .trailing), .init("seconds", .trailing)],
            rows: rows.map { row in
                let seconds = Estimate(values: row.method.seconds)
                return [
                    mark(row), row.method.name, percent(row.method.selected), gap(row.overFirst),
                ] + (two ? [gap(row.overPlain)] : []) + [
                    percent(row.method.last),
                    row.method.seconds.isEmpty
                        ? "–" : Numbers.estimate(seconds, digits: seconds.mean < 100 ? 1 : 0),
                ]
            }, note: note(seeds: seeds))
    }

    private func mark(_ row: Row) -> String {
        guard let place = row.place else { return row.method.role == .ceiling ? "ceiling" : "–" }
        return row.isTied ? "=1" : "\(place)"
    }

    private func note(seeds: Int) -> String {
        var sentences = [
            "Ranked by the epoch that was best on the validation split (selected); last: after the last "
                + "epoch. Test labels choose nothing."
        ]
        if seeds > 1 {
            sentences.append(
                "Δ: points more than the first row"
                    + (hasTwoReferences ? ", and than \(strongestPlain!.name)" : "")
                    + ", paired by seed, with the 95 % interval of Student's t, its variance pooled over the "
                    + "rows. * beyond chance: p < 0.05, Holm-corrected over the rows. =1: the best, and the rows down to "
                    + "the first that it leads beyond chance.")
        }
        if ceiling != nil { sentences.append("Ceiling: trained on clean labels; not ranked.") }
        return sentences.joined(separator: " ")
    }

    /// The rows as dots, in the order of the ranking, in percent.
    public func dotPlot(metric: String) -> DotPlot {
        func percent(_ values: [Double]) -> Estimate { Estimate(values: values.map { $0 * 100 }) }
        return DotPlot(
            title: "\(Self.heading(metric)) of each method", xLabel: "\(metric) (%)",
            rows: rows.map { row in
                let selected = percent(row.method.judged)
                return DotPlot.Row(
                    name: row.method.name, mean: selected.mean, sd: selected.sd,
                    points: row.method.judged.map { $0 * 100 },
                    second: row.method.last.isEmpty || row.method.selected.isEmpty
                        ? nil : percent(row.method.last))
            }, firstMark: "selected", secondMark: "last epoch", baseline: first?.name)
    }

    /// The table as a file for other programs: numbers as they are, in fractions and seconds.
    public static let csvColumns = [
        "noise", "place", "tied", "method", "role", "seeds", "selected", "selected_sd", "last",
        "last_sd",
        "over_first", "over_first_low", "over_first_high", "over_first_p", "over_plain",
        "over_plain_low", "over_plain_high", "over_plain_p", "seconds",
    ]

    /// - Parameter noise: what stands in the first column.
    public func csvRows(noise: String) -> [[String?]] {
        func numbers(_ values: [Double]) -> [String?] {
            let estimate = Estimate(values: values)
            return values.isEmpty ? [nil, nil] : ["\(estimate.mean)", estimate.sd.map { "\($0)" }]
        }
        func gap(_ gap: Gap?) -> [String?] {
            guard let gap else { return [nil, nil, nil, nil] }
            let interval = gap.difference.interval
            return [gap.difference.mean, interval.lowerBound, interval.upperBound, gap.p]
                .map { "\($0)" }
        }
        return rows.map { row in
            let seconds = Estimate(values: row.method.seconds).mean
            return [
                noise, row.place.map { "\($0)" }, row.place == nil ? nil : "\(row.isTied)",
                row.method.name, row.method.role.rawValue, "\(row.method.judged.count)",
            ] + numbers(row.method.selected) + numbers(row.method.last) + gap(row.overFirst)
                + gap(row.overPlain) + [row.method.seconds.isEmpty ? nil : "\(seconds)"]
        }
    }

    private static func heading(_ metric: String) -> String {
        metric.prefix(1).uppercased() + metric.dropFirst()
    }
}
