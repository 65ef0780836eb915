import Diagnostics

/// The elements of an IDX file as they stand in it, and what can be made of them.
struct IDXArray {
    /// The whole numbers of the format; raw values are its type codes.
    enum Element: UInt8 {
        case uint8 = 0x08
        case int8 = 0x09
        case int16 = 0x0B
        case int32 = 0x0C

        /// Bytes of one element.
        var size: Int {
            switch self {
            case .uint8, .int8: 1
            case .int16: 2
            case .int32: 4
            }
        }
    }

    let shape: [Int]
    private let element: Element
    /// The file, plain.
    private let bytes: [UInt8]
    /// Where the elements begin.
    private let start: Int
    private let file: String

    /// - Parameter bytes: exactly as many as the header says.
    init(_ header: IDX.Header, _ bytes: [UInt8], file: String) {
        (shape, element, start) = (header.shape, header.element, header.length)
        (self.bytes, self.file) = (bytes, file)
    }

    /// The elements as pixels.
    ///
    /// - Throws: `Problem` (`.data`) with the byte of the first that is not in 0...255.
    func pixels() throws(Problem) -> (shape: [Int], bytes: [UInt8]) {
        if element == .uint8 { return (shape, Array(bytes[start...])) }
        return (shape, try numbers(upTo: 255, "a pixel") { UInt8(truncatingIfNeeded: $0) })
    }

    /// The elements as labels.
    ///
    /// - Throws: `Problem` (`.data`) with the byte of the first that is negative or no number of a
    ///   class.
    func labels(classCount: Int?) throws(Problem) -> [Int] {
        // Where nobody says how many classes there are, there are no more than samples, but a byte may
        // say what it can. Where it is said, whoever asks compares: the sentence is better.
        let most = classCount == nil ? max(256, shape[0]) : Table.mostClasses
        return try numbers(upTo: min(Table.mostClasses, most) - 1, "a label") { $0 }
    }

    private func numbers<Number>(
        upTo most: Int, _ what: String, _ make: (Int) -> Number
    ) throws(Problem) -> [Number] {
        var numbers: [Number] = []
        numbers.reserveCapacity((bytes.count - start) / element.size)
        for at in stride(from: start, to: bytes.count, by: element.size) {
            let number: Int =
                switch element {
                case .uint8: Int(bytes[at])
                case .int8: Int(Int8(bitPattern: bytes[at]))
                case .int16: Int(Int16(bitPattern: UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1])))
                case .int32:
                    Int(
                        Int32(
                            bitPattern: bytes[at..<at + 4].reduce(UInt32(0)) {
                                $0 << 8 | UInt32($1)
                            }))
                }
            guard 0...most ~= number else {
                throw .idxValue(
                    file, at: at, element: (at - start) / element.size, what, number, most: most)
            }
            numbers.append(make(number))
        }
        return numbers
    }
}

extension IDX {
    /// The pair of files under the names that MNIST and its followers use, with a hyphen or a full
    /// stop before `idx3`, plain or with `.gz`.
    ///
    /// - Parameters:
    ///   - folder: where they lie.
    ///   - part: `train` or `t10k`.
    ///   - exists: whether there is such a file.
    /// - Returns: for each the path, or nil if there is none.
    public static func standardFiles(
        in folder: String, part: String, exists: (String) -> Bool
    ) -> (images: String?, labels: String?) {
        func find(_ kind: String, _ type: String) -> String? {
            ["-", "."].flatMap { mark in ["", ".gz"].map { "\(mark)\(type)\($0)" } }
                .map { "\(folder)/\(part)-\(kind)\($0)" }.first(where: exists)
        }
        return (find("images", "idx3-ubyte"), find("labels", "idx1-ubyte"))
    }
}
