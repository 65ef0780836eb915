import Diagnostics
import Randomness

extension Splitter {
    func split(seed: UInt64) throws(Problem) -> Split {
        let large = units.filter { $0.count > 1 }
        var best: (error: Int, part: [Int])?
        for attempt in 0..<Splitter.attempts {
            var draw = Draw(seed: seed, .split, step: attempt)
            var order = large
            order.permute(&draw)
            let part = assign(order, &draw)
            guard isComplete(part) else { continue }
            let error = self.error(part)
            if error < best?.error ?? .max { best = (error, part) }
            // Without groups a complete split is as good as another one.
            if data.groups == nil || error == 0 { break }
        }
        guard let part = best?.part else {
            throw .groupsForbid(data.name, units: units.count, sizes: sizes)
        }
        func members(_ p: Int) -> [Int] { part.indices.filter { part[$0] == p } }
        let split = Split(
            train: members(0), validation: members(1), test: members(2), duplicates: duplicates)
        for (name, wanted, got) in [
            ("validation", sizes[1], split.validation.count), ("test", sizes[2], split.test.count),
        ] where 2 * abs(got - wanted) > wanted {
            throw .groupsTooLarge(
                data.name, name, wanted: wanted, got: got,
                largest: units.map(\.count).max() ?? 0)
        }
        return split
    }

    /// The part of every sample. Units of several samples go first, in the order given, each to
    /// the part where the quotas of its samples' classes are most open (the steepest descent of
    /// the squared shortfall); single samples then fill the quotas.
    private func assign(_ large: [[Int]], _ draw: inout Draw) -> [Int] {
        var part = [Int](repeating: 0, count: data.count)
        var open = quotas
        for unit in large {
            let goal = home(of: unit, open)
            for i in unit {
                part[i] = goal
                open[goal][data.labels[i]] -= 1
            }
        }
        var singles = [[Int]](repeating: [], count: data.classCount)
        for unit in units where unit.count == 1 { singles[data.labels[unit[0]]].append(unit[0]) }
        for label in singles.indices where !singles[label].isEmpty {
            let all = singles[label].count
            // Where a unit overshot a quota, the others give way.
            let counts = Splitter.apportion(
                all, open.map { Double($0[label]) }, least: [0, 0, 0], most: [all, all, all])!
            singles[label].permute(&draw)
            var start = 0
            for (p, count) in counts.enumerated() {
                for i in singles[label][start..<start + count] { part[i] = p }
                start += count
            }
        }
        return part
    }

    private func home(of unit: [Int], _ open: [[Int]]) -> Int {
        func room(_ p: Int) -> Int { unit.reduce(0) { $0 + open[p][data.labels[$1]] } }
        return (0..<3).filter { sizes[$0] > 0 }.max { room($0) < room($1) }!
    }

    /// Whether every class that occurs is in every part that was asked for.
    private func isComplete(_ part: [Int]) -> Bool {
        let counts = counts(part)
        return (0..<3).allSatisfy { p in
            sizes[p] == 0 || zip(counts[p], data.classCounts).allSatisfy { $0 > 0 || $1 == 0 }
        }
    }

    private func counts(_ part: [Int]) -> [[Int]] {
        var counts = [[Int]](
            repeating: [Int](repeating: 0, count: data.classCount), count: 3)
        for (i, p) in part.enumerated() { counts[p][data.labels[i]] += 1 }
        return counts
    }

    /// How far a split is from what was asked: sizes first, then classes.
    private func error(_ part: [Int]) -> Int {
        let counts = counts(part)
        return (0..<3).reduce(0) { sum, p in
            sum + 4 * abs(counts[p].reduce(0, +) - sizes[p])
                + zip(counts[p], quotas[p]).reduce(0) { $0 + abs($1.0 - $1.1) }
        }
    }
}
