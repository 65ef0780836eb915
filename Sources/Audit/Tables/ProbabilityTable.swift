import Diagnostics
import Files

/// Probabilities of classes [rows × classes], a row per sample, in memory or in a mapped file.
///
///     let table = try ProbabilityTable(path: "predictions.npy")
///     table.withRows(0..<1000) { rows in … }
///
/// Values are float32 or float64 and are never converted as a whole: a table of 40 GB on the disk can be
/// walked through in blocks of rows with as much memory as a block takes.
public struct ProbabilityTable: Sendable {
    public let rows: Int
    public let classes: Int
    /// What messages call it: a path, or nil in memory.
    public let name: String?
    /// Of the header of a table of text.
    public let classNames: [String]?
    private let storage: Storage

    enum Storage: Sendable {
        case floats([Float])
        case doubles([Double])
        case mapped(MappedFile, offset: Int, isDouble: Bool)
    }

    /// Some rows, one after another.
    public enum Rows {
        case floats(UnsafeBufferPointer<Float>)
        case doubles(UnsafeBufferPointer<Double>)

        /// The first value, of whichever type.
        var start: UnsafeRawPointer {
            switch self {
            case .floats(let values): UnsafeRawPointer(values.baseAddress!)
            case .doubles(let values): UnsafeRawPointer(values.baseAddress!)
            }
        }
    }

    /// - Parameter values: row after row; the count is a multiple of `classes`.
    public init(_ values: [Float], classes: Int) {
        precondition(classes > 0 && values.count % classes == 0)
        self.init(.floats(values), rows: values.count / classes, classes: classes)
    }

    /// - Parameter values: row after row; the count is a multiple of `classes`.
    public init(_ values: [Double], classes: Int) {
        precondition(classes > 0 && values.count % classes == 0)
        self.init(.doubles(values), rows: values.count / classes, classes: classes)
    }

    init(
        _ storage: Storage, rows: Int, classes: Int, name: String? = nil,
        classNames: [String]? = nil
    ) {
        (self.storage, self.rows, self.classes) = (storage, rows, classes)
        (self.name, self.classNames) = (name, classNames)
    }

    /// Whether values are float64.
    public var isDouble: Bool {
        switch storage {
        case .floats: false
        case .doubles: true
        case .mapped(_, _, let isDouble): isDouble
        }
    }

    /// Calls `body` with the values of these rows, which are valid only during the call.
    public func withRows<Result>(
        _ range: Range<Int>, _ body: (Rows) throws -> Result
    ) rethrows -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows)
        let values = range.lowerBound * classes..<range.upperBound * classes
        switch storage {
        case .floats(let all):
            return try all.withUnsafeBufferPointer {
                try body(.floats(UnsafeBufferPointer(rebasing: $0[values])))
            }
        case .doubles(let all):
            return try all.withUnsafeBufferPointer {
                try body(.doubles(UnsafeBufferPointer(rebasing: $0[values])))
            }
        case .mapped(let file, let offset, let isDouble):
            return isDouble
                ? try Self.withValues(of: file, offset, values) { try body(.doubles($0)) }
                : try Self.withValues(of: file, offset, values) { try body(.floats($0)) }
        }
    }

    private static func withValues<Value: BitwiseCopyable, Result>(
        of file: MappedFile, _ offset: Int, _ values: Range<Int>,
        _ body: (UnsafeBufferPointer<Value>) throws -> Result
    ) rethrows -> Result {
        let size = MemoryLayout<Value>.stride
        let start = offset + values.lowerBound * size
        let bytes = UnsafeRawBufferPointer(
            rebasing: file.bytes[start..<start + values.count * size])
        guard Int(bitPattern: bytes.baseAddress) % size != 0 else {
            return try withExtendedLifetime(file) {
                try body(bytes.assumingMemoryBound(to: Value.self))
            }
        }
        // The header of the file is not padded.
        let copy = UnsafeMutableBufferPointer<Value>.allocate(capacity: values.count)
        defer { copy.deallocate() }
        UnsafeMutableRawBufferPointer(copy).copyMemory(from: bytes)
        return try body(UnsafeBufferPointer(copy))
    }

    /// The values of one row.
    public func row(_ index: Int) -> [Double] {
        withRows(index..<index + 1) { rows in
            switch rows {
            case .floats(let values): values.map(Double.init)
            case .doubles(let values): Array(values)
            }
        }
    }

    /// Takes rows of a mapped file out of this process's memory until they are looked at again.
    func release(_ range: Range<Int>) {
        guard case .mapped(let file, let offset, let isDouble) = storage else { return }
        let size = classes * (isDouble ? 8 : 4)
        file.release(offset + range.lowerBound * size..<offset + range.upperBound * size)
    }
}
