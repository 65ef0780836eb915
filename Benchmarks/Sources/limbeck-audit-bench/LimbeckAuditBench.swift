import Audit

@main enum Main { static func main() {} }
