import Diagnostics
import Files
import Foundation
import Training

/// Keeps commands from writing over what they read.
enum Outputs {
    /// Refuses outputs that are the same file as an input, or as one another, whatever their names.
    /// Cheap: opens no file, and is called before anything is read.
    ///
    /// - Parameters:
    ///   - outputs: options and the files they name.
    ///   - inputs: files, and run folders, of which every file that the run wrote counts.
    static func check(
        _ outputs: [(option: String, path: String?)], inputs: [String?]
    ) throws(Problem) {
        var taken: [FileIdentity: String] = [:]
        let inputs = inputs.compactMap(\.self)
        for path in inputs.flatMap({ [$0] + filesOfRun($0) }) {
            if let identity = FileIdentity(path) { taken[identity] = path }
        }
        var named: [Destination: String] = [:]
        for (option, path) in outputs {
            guard let path else { continue }
            if let other = named.updateValue(path, forKey: Destination(path)) {
                throw .outputTwice(option, path, other)
            }
            guard let identity = FileIdentity(path) else { continue }
            if let input = taken[identity] { throw .outputIsInput(option, path, input) }
        }
    }

    /// What a run or a comparison wrote into its folder and others read; not its page, which `report`
    /// writes anew, nor what a user put beside it.
    private static func filesOfRun(_ folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let own = names.filter { name in
            [
                "recipe.yaml", "run.json", "labels.csv", "samples.csv", "result.json",
                "model.safetensors", "points.json",
            ].contains(name) || (name.hasPrefix("peer-") && name.hasSuffix(".safetensors"))
        }
        guard own.contains("recipe.yaml") || names.contains("phases") else { return [] }
        let inside =
            (try? FileManager.default.subpathsOfDirectory(atPath: "\(folder)/phases")) ?? []
        return own.map { "\(folder)/\($0)" } + inside.map { "\(folder)/phases/\($0)" }
    }
}

/// Where an output goes: to a file that is there, or to a name in a folder.
private enum Destination: Hashable {
    case file(FileIdentity)
    case name(FileIdentity, String)
    /// A folder that is not there, or nothing that could be replaced.
    case unknown(String)

    init(_ path: String) {
        if let identity = FileIdentity(path) {
            self = .file(identity)
        } else if let place = try? LocalFileSystem().replacedPath(path),
            let folder = FileIdentity(LocalFileSystem().parent(of: place), S_IFDIR)
        {
            self = .name(folder, String(place.split(separator: "/").last ?? ""))
        } else {
            self = .unknown(URL(fileURLWithPath: path).standardizedFileURL.path)
        }
    }
}

/// Which file a path leads to, whatever its name and through whatever links. Nil where there is none of
/// that kind.
private struct FileIdentity: Hashable {
    var device: UInt64
    var number: UInt64

    init?(_ path: String, _ kind: mode_t = S_IFREG) {
        var info = stat()
        guard stat(path, &info) == 0, info.st_mode & S_IFMT == kind else { return nil }
        (device, number) = (UInt64(truncatingIfNeeded: info.st_dev), UInt64(info.st_ino))
    }
}
