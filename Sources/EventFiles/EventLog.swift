import Diagnostics
import Files
import Foundation

/// An event file that grows, for TensorBoard to read while it does.
///
///     var log = try EventLog(folder: "logs/student", keepingUpTo: 1200, using: files)
///     try log.append(Event(time: now, step: 1300, [.init("loss/total", .scalar(0.4))]))
///
/// A process that is killed leaves a torn record, or records of steps that are going to be done again.
/// Opening the log takes both off: the file is cut to its last whole record of a step that counts. Nothing
/// of it is a result, so it has no hash and is never refused: a damaged file keeps what stands before the
/// damage.
public struct EventLog: Sendable {
    public let path: String
    /// Of the last event; nil where there is none.
    public private(set) var lastStep: Int?
    /// What the file has values of.
    public private(set) var tags: Set<String> = []
    private let files: any FileSystem

    /// Opens the file of `folder`, or makes one.
    ///
    /// - Parameters:
    ///   - folder: of this log alone; made if it is not there.
    ///   - step: events of later steps are taken off. Nil: none are.
    ///   - time: in the name of a new file, and in its first event; seconds since 1970.
    public init(
        folder: String, keepingUpTo step: Int? = nil, time: Double,
        using files: any FileSystem = LocalFileSystem()
    ) throws(Problem) {
        self.files = files
        try files.createDirectory(folder)
        if let name = EventLog.name(in: folder) {
            path = "\(folder)/\(name)"
            let bytes = try readFile(path)
            let records = EventRecords(bytes)
            let end = records.hasVersion ? records.end(upTo: step ?? .max) : 0
            if end < bytes.count { try files.truncate(path, to: end) }
            let kept = records.records.map(\.event).prefix(records.records.count { $0.end <= end })
            lastStep = kept.last { $0.version == nil }?.step
            tags = Set(kept.flatMap(\.entries).map(\.tag))
            if end > 0 { return }
        } else {
            // The machine's name, which others write here, is nobody's business.
            path = "\(folder)/events.out.tfevents.\(Int(time)).limbeck"
        }
        try files.append(EventRecords.framed(.version(time: time)), to: path)
    }

    /// The log's file in `folder`, or the first of them.
    public static func name(in folder: String) -> String? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasPrefix("events.out.tfevents.") && $0.hasSuffix(".limbeck") }
            .min()
    }

    /// - Parameter event: of a step that is not before the last one.
    public mutating func append(_ event: Event) throws(Problem) {
        try files.append(EventRecords.framed(event), to: path)
        lastStep = event.step
        tags.formUnion(event.entries.map(\.tag))
    }
}
