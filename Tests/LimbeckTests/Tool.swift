import Files
import Foundation
import Testing

/// The built program as a child process, and a scratch folder for it.
final class Tool {
    struct Outcome {
        /// Exit code; 128 + number if a signal ended the process.
        var status: Int32
        var out: String
        var err: String
        var seconds: Double

        /// The last line said on standard error: the complaint, if there is one.
        var complaint: String {
            err.split(separator: "\n").last.map(String.init) ?? ""
        }
        /// Standard output as the one JSON object that it has to be.
        func object() throws -> [String: Any] {
            #expect(out.split(separator: "\n").count == 1, "one object on one line: \(out)")
            let value = try JSONSerialization.jsonObject(with: Data(out.utf8))
            return try #require(value as? [String: Any])
        }
    }

    let folder: String

    init() throws {
        folder =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("limbeck-program-\(UUID())").path
        try LocalFileSystem().createDirectory(folder)
    }

    deinit { try? LocalFileSystem().remove(folder) }

    /// A path in the scratch folder.
    func callAsFunction(_ name: String) -> String { "\(folder)/\(name)" }

    /// Writes a file into the scratch folder.
    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try write(name, Array(text.utf8))
    }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        try LocalFileSystem().write(bytes, to: self(name))
        return self(name)
    }

    /// Runs the program to its end.
    ///
    /// - Parameters:
    ///   - meanwhile: called about every 2 ms with the process and the seconds it has run; for signals.
    func run(
        _ arguments: [String], environment: [String: String] = [:],
        meanwhile: ((Process, Double) -> Void)? = nil
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Tool.program))
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("LIMBECK_") }
            .merging(environment) { $1 }
        // Files rather than pipes: a full pipe would stop the child.
        let name = UUID().uuidString
        let (out, err) = (try write("\(name).out", ""), try write("\(name).err", ""))
        process.standardOutput = FileHandle(forWritingAtPath: out)
        process.standardError = FileHandle(forWritingAtPath: err)
        process.standardInput = FileHandle.nullDevice
        Tool.limitDescriptors
        let began = Date()
        try process.run()
        if let meanwhile {
            while process.isRunning {
                meanwhile(process, Date().timeIntervalSince(began))
                usleep(2000)
            }
        }
        process.waitUntilExit()
        let seconds = Date().timeIntervalSince(began)
        let isSignal = process.terminationReason == .uncaughtSignal
        defer {
            try? LocalFileSystem().remove(out)
            try? LocalFileSystem().remove(err)
        }
        return Outcome(
            status: process.terminationStatus + (isSignal ? 128 : 0),
            out: String(decoding: try readFile(out), as: UTF8.self),
            err: String(decoding: try readFile(err), as: UTF8.self), seconds: seconds)
    }

    /// Every file below `folder` by its relative path, without the two that hold times.
    func content(_ folder: String) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        let all = try FileManager.default.subpathsOfDirectory(atPath: folder)
        for path in all where !path.hasSuffix("timing.json") && !path.hasSuffix("report.html") {
            var isFolder: ObjCBool = false
            FileManager.default.fileExists(atPath: "\(folder)/\(path)", isDirectory: &isFolder)
            // Folders count too: one left behind is a difference.
            files[path] = isFolder.boolValue ? [] : try readFile("\(folder)/\(path)")
        }
        return files
    }

    /// Names of the files that differ between two folders.
    func differences(_ a: String, _ b: String) throws -> [String] {
        let (a, b) = (try content(a), try content(b))
        return Set(a.keys).union(b.keys).filter { a[$0] != b[$0] }.sorted()
    }

    /// Foundation closes every descriptor a child might inherit, one by one: seconds for a million.
    private static let limitDescriptors: Void = {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_cur, 1024)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }()

    /// `limbeck`, built beside the test bundle.
    static let program: String? = {
        var places = CommandLine.arguments.filter { $0.contains(".xctest") }
        if let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
            places.insert(own, at: 0)
        }
        for place in places {
            var folder = URL(fileURLWithPath: place)
            for _ in 0..<5 {
                folder.deleteLastPathComponent()
                let candidate = folder.appendingPathComponent("limbeck").path
                if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
            }
        }
        return nil
    }()
}
