import Diagnostics
import Files
import Foundation

/// A folder that a run or a comparison is written into: by one process at a time, and never over
/// files that are not ours.
///
/// While it is held, the file `lock` in it names the process. The file stays where a process was killed
/// before anything else in the folder says whose it is, and goes when the work is done.
final class FolderClaim {
    enum Kind: String {
        case run, comparison
    }

    private let folder: String
    private let kind: Kind
    private let lock: FolderLock

    /// Makes the folder if needed, takes it, and clears away what killed processes left unfinished.
    ///
    /// - Parameter continues: whether a run that is there already is gone on with; otherwise refused.
    /// - Throws: if it is another process's, or holds anything else.
    init(
        _ folder: String, for kind: Kind, continues: Bool = true, using files: any FileSystem
    ) throws(Problem) {
        (self.folder, self.kind) = (folder, kind)
        try FolderClaim.check(folder, for: kind, continues: continues)
        try files.createDirectory(folder)
        lock = try FolderLock(folder)
        do {
            // Again, because another process may have come first and be done by now.
            try FolderClaim.check(folder, for: kind, continues: continues, mark: lock.previous)
            try lock.sign(kind.rawValue)
            try files.removeLeftovers(in: folder)
        } catch {
            release()
            throw error
        }
    }

    func release() {
        let isKnown = (try? FolderClaim.check(folder, for: kind, continues: true, mark: nil)) != nil
        lock.release(keepingFile: !isKnown)
    }

    /// Refuses a folder that holds anything but what `kind` writes; reads nothing but names.
    static func check(_ folder: String, for kind: Kind, continues: Bool) throws(Problem) {
        let mark = try? readFile("\(folder)/\(FolderLock.name)", limit: 100)
        try check(
            folder, for: kind, continues: continues,
            mark: mark.map {
                String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            })
    }

    /// - Parameter mark: what the lock file says, if it counts.
    private static func check(
        _ folder: String, for kind: Kind, continues: Bool, mark: String?
    ) throws(Problem) {
        let names = try contents(of: folder).filter { $0 != FolderLock.name }
        guard !names.isEmpty else { return }
        let words = (mark ?? "").split(separator: " ")
        let isMarked =
            words.count == 2 && Int(words[0]) != nil && Kind(rawValue: String(words[1])) == kind
        let phases =
            (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/phases")) ?? []
        switch kind {
        case .run:
            if names.contains("run.json") {
                guard continues else { throw .runExists(folder) }
                return
            }
            // 0-student, 1-stage-1, …; images, of a data set that is made.
            if isMarked || phases.contains(where: isNamedPhase) { return }
        case .comparison:
            if names.contains("run.json") { throw .notOurFolder(folder, "run.json", kind.rawValue) }
            if isMarked || phases.contains(where: isPhaseKey) { return }
        }
        throw .notOurFolder(folder, names[0], kind.rawValue)
    }

    /// Names in a folder that is to be written into, sorted, without what the system and killed
    /// processes put there; none if there is no folder.
    static func contents(of folder: String) throws(Problem) -> [String] {
        guard !folder.isEmpty else { throw .emptyFolderName() }
        var info = stat()
        // What is wrong with the path is said when the folder is made.
        guard stat(folder, &info) == 0 else { return [] }
        guard info.st_mode & S_IFMT == S_IFDIR else { throw .noFolderForOutput(folder) }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw .cannot("read", folder, EACCES)
        }
        return names.filter { $0 != ".DS_Store" && !TemporaryName.isLeftover($0) }.sorted()
    }

    private static func isNamedPhase(_ name: String) -> Bool {
        let position = name.prefix { $0 != "-" }
        return name == "images" || (Int(position) != nil && position.count < name.count)
    }

    private static func isPhaseKey(_ name: String) -> Bool {
        name.utf8.count == 24 && name.allSatisfy { $0.isASCII && $0.isHexDigit }
    }
}

/// What programs ask before they read any data.
public enum OutputFolder {
    /// Refuses a folder for a run that holds anything else.
    ///
    /// - Parameter continues: whether a run that is there already will be gone on with.
    public static func check(run folder: String, continues: Bool) throws(Problem) {
        // Of a folder that somebody else is writing into nothing else can be said.
        try FolderLock.checkIsFree(folder)
        try FolderClaim.check(folder, for: .run, continues: continues)
    }

    /// Refuses a folder for a comparison that holds anything else.
    public static func check(comparison folder: String) throws(Problem) {
        try FolderLock.checkIsFree(folder)
        try FolderClaim.check(folder, for: .comparison, continues: true)
    }

    /// Refuses a folder that holds other files than `names` alone, unless it has all of `marks` and is
    /// no run.
    public static func check(
        _ folder: String, for what: String, names: Set<String>, marks: Set<String>
    ) throws(Problem) {
        let found = try FolderClaim.contents(of: folder)
        guard let other = found.first(where: { !names.contains($0) }) else { return }
        let runs = ["run.json", "phases"]
        if marks.isSubset(of: found), !found.contains(where: runs.contains) { return }
        throw .notOurFolder(folder, other, what)
    }
}
