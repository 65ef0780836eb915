import AuditRuns
import Datasets
import Diagnostics
import Files
import Foundation
import Training

/// An audit as the command line asks for it: the recipe, the folder, and what to do.
struct AuditJob {
    /// What an audit's folder remembers, beside the recipe.
    struct Settings: Codable, Equatable {
        var folds = 5
        /// Instead of the recipe's.
        var method: String?
        var probabilities: String?
        var length: Int?
        var sheet: Int?
        var verdicts: String?
        var budget: Int?
        var table: Table?
    }

    /// A table without a recipe.
    struct Table: Codable, Equatable {
        var path: String
        var columns: TableAudit.Columns
    }

    /// As it is audited.
    let file: RecipeFile
    /// As the user has it.
    let own: Recipe
    let folder: String
    private(set) var settings: Settings
    let table: TableAudit?

    static let settingsName = "settings.json"
    /// Files of an audit's folder.
    static let names = Set([
        settingsName, "recipe.yaml", "given", "injected", "injected-labels.csv", "audit.csv",
        "budget.csv", "sheet.csv", "audit.json", "report.html", "applied.yaml", "corrected.csv",
        "table.csv", "test.csv", FolderLock.name,
    ]).union(AuditOutcome.Change.allCases.map(\.file))

    init(_ command: AuditCommand) throws {
        let source = command.source
        var (settings, isKnown) = (Settings(), false)
        if Self.isFolder(source), let saved = try Self.saved(source) {
            (settings, isKnown) = (saved, true)
        } else if Self.isFolder(source),
            !FileManager.default.fileExists(atPath: "\(source)/run.json")
        {
            throw Problem.notForAudit(source)
        }
        let isTable = !Self.isFolder(source) && !Self.isRecipe(source)
        if isTable {
            settings.table = Table(path: source, columns: command.table.columns)
        } else if let option = command.table.given.first {
            throw Problem.optionWithoutUse(option, for: "no table: its recipe says how it is read")
        }
        let name = isTable ? Self.name(of: source) : nil
        var folder = command.out ?? (isKnown ? source : name.map { "runs/audit-\(slug($0))" })
        let table = try settings.table.map { (table) throws(Problem) in
            try TableAudit(table.path, table.columns)
        }
        var file: RecipeFile
        if isTable, let table, let name, let folder {
            file = try table.recipe(
                folder: folder, name: name, method: command.method ?? EarlyLearning.name)
        } else {
            file = try RecipeFile(
                path: Self.isFolder(source) ? "\(source)/recipe.yaml" : source)
        }
        for assignment in command.overrides { file = try file.setting(assignment) }
        if let seed = command.seed { file = try file.setting("seed=\(seed)") }
        if file.has("rows") { throw Problem.rowsInAudit(file.file) }
        if file.has("search") { throw Problem.searchInAudit(file.file) }
        let own = try file.decoded(Recipe.self)
        folder = folder ?? "runs/audit-\(slug(own.name))"
        settings.folds = command.folds ?? settings.folds
        settings.length = command.length ?? settings.length
        settings.sheet = command.sheet ?? settings.sheet
        settings.verdicts = command.verdicts ?? settings.verdicts
        settings.budget = command.budget ?? settings.budget
        settings.probabilities = command.probabilities ?? settings.probabilities
        settings.method = command.method ?? settings.method
        if settings.probabilities == nil, settings.method == nil, Self.isPlain(own) {
            settings.method = EarlyLearning.name
            Console.say(
                "\(EarlyLearning.name) judges: plain cross-entropy learns wrong labels by heart (--method "
                    + "chooses another)")
        }
        if let method = settings.method, method != own.method.name {
            file = try file.without("method").setting("method.name", word: method)
        }
        if table != nil { file = try TableAudit.judgingAll(file, folder: folder!) }
        (self.file, self.own, self.table) = (file, own, table)
        self.folder = folder!
        self.settings = settings
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && isFolder.boolValue
    }

    /// Everything else is a table.
    private static func isRecipe(_ path: String) -> Bool {
        [".yaml", ".yml"].contains { path.lowercased().hasSuffix($0) }
    }

    /// The settings of an audit that was begun in a folder; nil where none was.
    private static func saved(_ folder: String) throws -> Settings? {
        let path = "\(folder)/\(settingsName)"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let bytes = try readFile(path, limit: 1 << 20)
        guard let settings = try? JSON.read(Settings.self, bytes) else {
            throw Problem.auditSettings(path)
        }
        return settings
    }

    /// Of a table: that of its file without folder and ending.
    private static func name(of path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let name = String(file.prefix { $0 != "." }.prefix(70))
        return name.isEmpty ? "table" : name
    }

    /// Whether nothing in the method's options stands against wrong labels.
    private static func isPlain(_ recipe: Recipe) -> Bool {
        (recipe.method.base as? CrossEntropy).map { $0 == CrossEntropy() } ?? false
    }

    var question: LabelAudit.Question {
        .init(length: settings.length, budget: settings.budget, verdicts: settings.verdicts)
    }

    // MARK: Files

    private func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// Refuses a folder with anything else in it, and outputs that are inputs.
    func checkOutputs() throws(Problem) {
        try OutputFolder.check(
            folder, for: "audit", names: AuditJob.names, marks: [AuditJob.settingsName])
        let written = AuditJob.names.subtracting([
            "given", "injected", "recipe.yaml", AuditJob.settingsName, FolderLock.name,
            "sheet.csv",
        ])
        try Outputs.check(
            written.sorted().map { ("--out", path($0)) },
            inputs: own.inputFiles.filter { $0 != path("table.csv") }
                + [settings.probabilities, settings.verdicts, settings.table?.path])
    }

    /// Takes the folder, and writes what the recipe of a table reads beside it.
    func open() throws(Problem) -> FolderLock {
        let files = LocalFileSystem()
        try files.createDirectory(folder)
        let lock = try FolderLock(folder)
        do throws(Problem) {
            try lock.sign("audit")
            try files.removeLeftovers(in: folder)
            for (name, bytes) in table?.files() ?? [] {
                if let old = try? readFile(path(name)), old == bytes { continue }
                try files.replace(path(name), with: bytes)
            }
        } catch {
            close(lock)
            throw error
        }
        return lock
    }

    /// Leaves no folder behind that nothing was written into.
    func close(_ lock: FolderLock) {
        lock.release()
        rmdir(folder)
    }

    /// Writes down what is asked, for those who continue.
    func save() throws(Problem) {
        let files = LocalFileSystem()
        try files.replace(path(AuditJob.settingsName), with: JSON.file(settings))
        try files.replace(path("recipe.yaml"), with: Array(own.yaml.utf8))
    }

    /// Runs `body`; where a table has a column that is no number, says which options help.
    func explained<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch var problem as Problem {
            if table != nil, problem.what == "cell is not a number", problem.hint == nil {
                problem.hint = "--drop leaves columns out, --text takes one for texts"
            }
            throw problem
        }
    }

    /// Writes everything and says what came out.
    func finish(_ outcome: AuditOutcome, change: AuditOutcome.Change?, json: Bool) throws {
        let files = LocalFileSystem()
        var outcome = outcome
        var written: [String: String] = [:]
        for (name, bytes) in outcome.files() {
            try files.replace(path(name), with: bytes)
            written[AuditJob.key(name)] = path(name)
        }
        if let count = settings.sheet {
            let bytes = outcome.sheet(count: count, seed: own.seed)
            let place = path("sheet.csv")
            if let old = try? readFile(place), old != bytes, outcome.hasVerdicts(place) {
                if settings.verdicts.map({ $0 != place }) ?? true {
                    outcome.result.warnings.append(
                        "\(place) has verdicts and stays as it is: --verdicts reads them")
                }
            } else {
                try files.replace(place, with: bytes)
            }
            written["sheet"] = place
        }
        if let change {
            try files.replace(
                path("applied.yaml"), with: Array(applied(change, outcome).yaml.utf8))
            written["applied"] = path("applied.yaml")
            if let table, change != .weights {
                let edits = try LabelEdits(
                    SampleFileOptions(file: path(change.file)), for: outcome.data)
                let names = outcome.data.classNames
                try files.replace(
                    path("corrected.csv"),
                    with: table.corrected(
                        edits.labels.mapValues { names[$0] }, without: edits.leftOut))
                written["corrected"] = path("corrected.csv")
            }
        }
        let outputs = AuditOutputs(
            outcome: outcome, folder: folder, files: written, recipe: own.yaml)
        try outputs.write()
        if json {
            for warning in outcome.result.warnings { Console.say("warning: \(warning)") }
        }
        outputs.show(json: json)
        if change != nil {
            Console.say("train on it: limbeck train \(path("applied.yaml"))")
        }
    }

    /// `labels-corrected.csv` is `labels-corrected`.
    private static func key(_ name: String) -> String { String(name.dropLast(4)) }

    /// The user's recipe with a file that the audit made.
    private func applied(_ change: AuditOutcome.Change, _ outcome: AuditOutcome) -> Recipe {
        var recipe = own
        recipe.name = "\(String(own.name.prefix(64)))-\(change.rawValue)"
        recipe.data.heldOut = nil
        let file = SampleFileOptions(file: path(change.file))
        if change == .weights { recipe.weights = file } else { recipe.labels = file }
        return recipe
    }
}

/// A name as part of a path.
func slug(_ name: String) -> String {
    let kept = name.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" }
    return String(kept).split(separator: "-").joined(separator: "-")
}
