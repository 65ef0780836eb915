/// The records of an event file: each the length of its content, a check sum of the length, the content,
/// and a check sum of the content.
///
///     length        8 bytes, little-endian
///     masked CRC-32C of these 8 bytes
///     content
///     masked CRC-32C of the content
public struct EventRecords {
    /// An event and where its record ends in the file.
    public struct Record: Equatable, Sendable {
        public var event: Event
        public var end: Int
    }

    /// All whole records from the beginning on, up to the first that is torn or damaged.
    public let records: [Record]
    /// Why there are no more.
    public let fault: Fault?

    public enum Fault: Equatable, Sendable {
        /// The file ends inside a record: its writer was killed.
        case torn
        /// A check sum differs, or a content is no event.
        case damaged
    }

    /// Reads any bytes; what is after a fault is not looked at.
    public init(_ file: [UInt8]) {
        var records: [Record] = []
        var fault: Fault?
        var start = 0
        while start < file.count {
            guard file.count - start >= 12 else {
                fault = .torn
                break
            }
            let head = file[start..<start + 8]
            let length: UInt64 = EventRecords.number(head)
            let headSum: UInt32 = EventRecords.number(file[start + 8..<start + 12])
            guard CRC32C.masked(head) == headSum else {
                fault = .damaged
                break
            }
            guard length <= UInt64(file.count), file.count - start - 12 >= Int(length) + 4 else {
                fault = .torn
                break
            }
            let content = file[start + 12..<start + 12 + Int(length)]
            let end = content.endIndex + 4
            let sum: UInt32 = EventRecords.number(file[content.endIndex..<end])
            guard CRC32C.masked(content) == sum, let event = Event(content) else {
                fault = .damaged
                break
            }
            records.append(Record(event: event, end: end))
            start = end
        }
        self.records = records
        self.fault = fault
    }

    /// The events, without the one that says the version.
    public var events: [Event] { records.map(\.event).filter { $0.version == nil } }

    /// Whether the file begins as event files do.
    public var hasVersion: Bool { records.first?.event.version == "brain.Event:2" }

    /// Bytes from the beginning to the end of the last whole record of a step of at most `step`; records
    /// after one of a later step do not count.
    public func end(upTo step: Int) -> Int {
        records.prefix { $0.event.version != nil || $0.event.step <= step }.last?.end ?? 0
    }

    /// A record with `event`.
    public static func framed(_ event: Event) -> [UInt8] {
        let content = event.encoded
        let length = bytes(UInt64(content.count))
        return length + bytes(CRC32C.masked(length)) + content + bytes(CRC32C.masked(content))
    }

    private static func number<Number: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>) -> Number {
        bytes.reversed().reduce(Number(0)) { $0 << 8 | Number($1) }
    }

    private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }
}
