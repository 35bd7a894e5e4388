//! `kiban account`: who may sign in, and the first invitations (later ones are made on the page of accounts).

use clap::Subcommand;
use kiban_journeys::{
    Actor, Deployment, Employer, Role, World, actor_named,
    sign_in::{self, AccountRow},
};

use crate::{
    At,
    say::{self, Failure, Outcome},
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// アカウントと、今日サインインできるかを表示します
    List(List),
    /// パスキーを登録するための一度だけのコードを発行します
    Invite(Invite),
}

#[derive(clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    at: At,
}

#[derive(clap::Args)]
pub(crate) struct Invite {
    #[command(flatten)]
    at: At,
    /// アカウントの識別子（acc_…）、または関係者の記述での名
    account: String,
}

pub(crate) async fn run(command: Command) -> Outcome {
    match command {
        Command::List(args) => list(args).await,
        Command::Invite(args) => invite(args).await,
    }
}

/// Whoever can open the folder holds its keys: the act is recorded as the security officer's.
async fn officer(on: &Deployment) -> Result<Actor, Failure> {
    for account in kiban_journeys::accounts(on).await? {
        let actor = kiban_journeys::actor_of(on, account.id).await?;
        if actor.employer == Employer::Producer && actor.has(Role::SecurityOfficer) {
            return Ok(actor);
        }
    }
    Err(Failure::plain(
        "安全管理責任者のアカウントが登録されていません。関係者の記述を確かめてください。",
        "no active account may manage accounts",
    ))
}

async fn list(args: List) -> Outcome {
    let on = Deployment::open(&args.at.dir, World::real()).await?;
    let officer = officer(&on).await?;
    for row in sign_in::account_rows(&on, &officer).await? {
        say::line(&line(&row));
    }
    Ok(())
}

fn line(row: &AccountRow) -> String {
    let roles: Vec<&str> = row.account.roles.iter().copied().map(Role::label_ja).collect();
    let state = match &row.barred {
        None => format!("サインインできます（パスキー{}個）", row.passkeys),
        Some(barred) => barred.ja(),
    };
    format!("{}  {}  {state}", row.account.id, roles.join("・"))
}

async fn invite(args: Invite) -> Outcome {
    let on = Deployment::open(&args.at.dir, World::real()).await?;
    let officer = officer(&on).await?;
    let account = match args.account.parse() {
        Ok(id) => id,
        Err(_) => actor_named(&on, &args.account).await?.account,
    };
    let invitation = sign_in::invite(&on, &officer, account).await?;
    say::line(&format!("登録コード：{}", invitation.code));
    say::line(&format!(
        "期限：{}（一度だけ使えます。画面の /enrol で登録してください）",
        invitation.expires_at
    ));
    Ok(())
}
