import Foundation

extension Dataset {
    /// For every sample, the index of the first one with exactly the same features (its own index
    /// if it is the first). Labels do not count.
    public func firstOccurrences() -> [Int] {
        var table = RowTable(capacity: count)
        return withRows { rows in
            (0..<count).map { table.firstIndex(of: rows.row($0), or: $0, in: rows) ?? $0 }
        }
    }

    /// How many samples repeat an earlier one.
    public var duplicateCount: Int {
        firstOccurrences().enumerated().count { $0.offset != $0.element }
    }

    /// The data set without the samples that repeat an earlier one; the first one's label stays.
    public func withoutDuplicates() -> Dataset {
        subset(firstOccurrences().enumerated().filter { $0.offset == $0.element }.map(\.offset))
    }

    /// The samples of `self` whose features also occur in `other`: for a test file of the user's
    /// own, the test samples that are in the training data. Empty if the two differ in kind or
    /// shape.
    public func indicesShared(with other: Dataset) -> [Int] {
        guard sampleShape == other.sampleShape else { return [] }
        var table = RowTable(capacity: other.count)
        return other.withRows { theirs in
            for i in 0..<other.count { _ = table.firstIndex(of: theirs.row(i), or: i, in: theirs) }
            return withRows { mine in
                (0..<count).filter {
                    table.firstIndex(of: mine.row($0), or: nil, in: theirs) != nil
                }
            }
        }
    }

    /// How many samples that the source sets apart for validation are also among the others.
    var ownValidationShared: Int {
        guard let marks = ownValidation else { return 0 }
        let first = firstOccurrences()
        let trained = Set(first.indices.filter { !marks[$0] }.map { first[$0] })
        return first.indices.count { marks[$0] && trained.contains(first[$0]) }
    }

    private func withRows<T>(_ body: (Rows) -> T) -> T {
        switch features {
        case .images(let bytes, _, _, _):
            bytes.withUnsafeBytes { body(Rows(bytes: $0, size: sampleSize, ends: [])) }
        case .table(let cells, _):
            cells.withUnsafeBytes { body(Rows(bytes: $0, size: 4 * sampleSize, ends: [])) }
        case .text(let texts, _):
            texts.bytes.withUnsafeBytes { body(Rows(bytes: $0, size: 0, ends: texts.ends)) }
        }
    }

    /// Samples as raw memory of `size` bytes each, or, where there are `ends`, up to those.
    private struct Rows {
        let bytes: UnsafeRawBufferPointer
        let size: Int
        let ends: [Int]

        func row(_ index: Int) -> UnsafeRawBufferPointer {
            guard !ends.isEmpty else {
                return UnsafeRawBufferPointer(rebasing: bytes[index * size..<(index + 1) * size])
            }
            return UnsafeRawBufferPointer(
                rebasing: bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]])
        }
    }

    /// Rows by hash. The standard library's hash is keyed anew in each process, so nobody can
    /// prepare a file of collisions; equality is decided by the bytes, so the result never varies.
    private struct RowTable {
        private var indices: [Int: [Int]]

        init(capacity: Int) { indices = Dictionary(minimumCapacity: capacity) }

        /// The stored index with the same bytes; without one, `new` is stored, if given.
        mutating func firstIndex(
            of row: UnsafeRawBufferPointer, or new: Int?, in rows: Rows
        ) -> Int? {
            var hasher = Hasher()
            hasher.combine(bytes: row)
            let key = hasher.finalize()
            for index in indices[key] ?? []
            where Self.areEqual(rows.row(index), row) {
                return index
            }
            if let new { indices[key, default: []].append(new) }
            return nil
        }

        private static func areEqual(
            _ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer
        ) -> Bool {
            guard a.count == b.count else { return false }
            return a.isEmpty || memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0
        }
    }
}
