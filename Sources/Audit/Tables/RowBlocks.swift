import Foundation
import Synchronization
import Workers

/// How a table is walked through: in blocks of rows, by several workers.
///
/// Nothing that is computed here depends on either: sums are of whole numbers, and what is kept is ordered.
struct RowBlocks: Sendable {
    let workers: Int
    /// Rows of a block.
    let height: Int

    /// Bytes of a block: small enough for a processor's second cache.
    private static let size = 1 << 19

    init(_ table: ProbabilityTable, workers: Int?, height: Int? = nil) {
        self.workers = max(1, workers ?? ProcessInfo.processInfo.activeProcessorCount)
        let row = table.classes * (table.isDouble ? 8 : 4)
        self.height = max(1, height ?? Self.size / row)
    }

    /// Calls `body` for all blocks. Each worker takes the next block that is left and has a state of its own.
    ///
    /// - Returns: the states.
    func fold<State: Sendable>(
        _ table: ProbabilityTable, _ start: State,
        _ body: @Sendable (inout State, Range<Int>, ProbabilityTable.Rows) -> Void
    ) -> [State] {
        let next = Mutex(0)
        let blocks = (table.rows + height - 1) / height
        return Parallel.map(min(workers, max(1, blocks)), workers: workers) { _ in
            var state = start
            while true {
                let block = next.withLock { next in
                    defer { next += 1 }
                    return next
                }
                guard block < blocks else { return state }
                let range = range(of: block, table)
                table.withRows(range) { body(&state, range, $0) }
                table.release(range)
            }
        }
    }

    func range(of block: Int, _ table: ProbabilityTable) -> Range<Int> {
        block * height..<min(table.rows, (block + 1) * height)
    }

    /// A value for each row, computed by `value` from the row and its index.
    func map<Value: Sendable>(
        _ table: ProbabilityTable, _ value: @Sendable (Int, ProbabilityRow) -> Value
    ) -> [Value] {
        [Value](unsafeUninitializedCapacity: table.rows) { values, count in
            let target = SharedMemory(values.baseAddress!)
            _ = fold(table, ()) { _, range, rows in
                for i in range {
                    (target.start + i).initialize(
                        to: value(i, rows.row(i - range.lowerBound, table.classes)))
                }
            }
            count = table.rows
        }
    }
}

extension RowBlocks {
    /// The same for some rows, in ascending order.
    func map<Value>(
        _ table: ProbabilityTable, _ rows: [Int], _ value: (Int, ProbabilityRow) -> Value
    ) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(rows.count)
        var block = 0
        for row in rows {
            if row / height != block {
                table.release(range(of: block, table))
                block = row / height
            }
            values.append(
                table.withRows(row..<row + 1) { value(row, $0.row(0, table.classes)) })
        }
        table.release(range(of: block, table))
        return values
    }
}

/// Memory that workers write to, each in places of its own.
struct SharedMemory<Value>: @unchecked Sendable {
    let start: UnsafeMutablePointer<Value>

    init(_ start: UnsafeMutablePointer<Value>) { self.start = start }
}

/// One row as numbers of float64.
struct ProbabilityRow {
    fileprivate let rows: ProbabilityTable.Rows
    fileprivate let start: Int
    let count: Int

    subscript(k: Int) -> Double {
        switch rows {
        case .floats(let values): Double(values[start + k])
        case .doubles(let values): values[start + k]
        }
    }
}

extension ProbabilityTable.Rows {
    func row(_ index: Int, _ classes: Int) -> ProbabilityRow {
        ProbabilityRow(rows: self, start: index * classes, count: classes)
    }
}
